// The source, with the badge of every thread at its own line: full for the one that acts, a ring for the others.

const code = $('code'),
  LINE_HEIGHT = 18
const source = { file: 0, lines: [], marked: new Map(), top: 0 }
const KEYWORDS =
  /^(and|break|do|else|elseif|end|false|for|function|goto|if|in|local|nil|not|or|repeat|return|then|true|until|while)$/

function coloured(line) {
  return line
    .split(/(--.*$|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\b[A-Za-z_]\w*\b)/)
    .map(part => {
      if (!part) return ''
      const text = escapeHtml(part.replace(/\t/g, '    '))
      if (part.startsWith('--')) return '<span class="comment">' + text + '</span>'
      if (/^["']/.test(part)) return '<span class="string">' + text + '</span>'
      return KEYWORDS.test(part) ? '<span class="keyword">' + text + '</span>' : text
    })
    .join('')
}

function showSource() {
  const { files } = run0()
  source.file = Math.min(source.file, Math.max(0, files.length - 1))
  $('files').innerHTML =
    files.length > 1
      ? files.map((f, i) => '<button data-file="' + i + '">' + escapeHtml(f.name) + '</button>').join('')
      : ''
  showFile(source.file)
}
function showFile(n) {
  const file = run0().files[n]
  source.file = n
  source.marked = new Map()
  source.top = 0
  $('fileName').textContent = '\u200e' + visible(file?.path ?? file?.name ?? '')
  for (const button of $('files').children) button.setAttribute('aria-pressed', +button.dataset.file === n)
  if (!file?.text) {
    code.innerHTML = '<p class="empty">no source in this recording</p>'
    source.lines = []
    return
  }
  code.innerHTML = file.text
    .replace(/\n$/, '')
    .split(/\r?\n/)
    .map(
      (line, i) =>
        '<div class="source" data-line="' +
        (i + 1) +
        '"><span class="at"></span><span class="number">' +
        (i + 1) +
        '</span><span>' +
        coloured(line) +
        '</span></div>'
    )
    .join('')
  source.lines = [...code.children]
  code.scrollTop = 0
}

// The line of every thread at the playhead; only lines that changed are touched.
function markLines() {
  const R = run0(),
    s = view.play[0],
    e = R.last[s],
    acting = s ? R.th[R.main[s]] : -1,
    here = new Map()
  const followed = acting >= 0 ? acting : view.selected,
    place = followed >= 0 && R.places[currentPlace(R, followed, e)]
  if (place && place[0] >= 0 && place[0] !== source.file && R.files[place[0]]?.text) showFile(place[0])
  const order = R.threads.map((_, x) => x)
  if (acting >= 0) {
    order.splice(acting, 1)
    order.unshift(acting)
  }
  let focus = 0
  for (const x of order) {
    if (R.threads.length > MANY && x !== acting && x !== view.selected) continue
    const d = doing(R, x, e)
    if (d.state === ENDED || d.state === NONE) continue
    const p = R.places[x === acting ? R.line[x].value(e, 0) : currentPlace(R, x, e)]
    if (!p || p[0] !== source.file || p[1] <= 0 || p[1] > source.lines.length) continue
    if (!here.has(p[1])) here.set(p[1], [])
    here.get(p[1]).push([x, x === acting ? RUNS : d.state])
    if (x === acting || (!focus && x === view.selected)) focus = p[1]
  }
  const most = R.threads.length > 9 ? 2 : 4,
    marked = new Map()
  for (const [n, list] of here) {
    const acts = list[0][0] === acting,
      key = list.join() + acts,
      line = source.lines[n - 1]
    marked.set(n, key)
    if (source.marked.get(n) === key) continue
    line.className = 'source ' + (acts ? 'acts' : 'here')
    line.style.setProperty('--c', cssColour(list[0][0]))
    line.firstChild.innerHTML =
      list
        .slice(0, most)
        .map(([x, state]) => badgeHtml(R, x, state))
        .join('') + (list.length > most ? '<b class="more">+' + (list.length - most) + '</b>' : '')
  }
  for (const n of source.marked.keys())
    if (!marked.has(n) && source.lines[n - 1]) {
      source.lines[n - 1].className = 'source'
      source.lines[n - 1].firstChild.innerHTML = ''
    }
  source.marked = marked
  if (focus) scrollToLine(focus)
}
function scrollToLine(n) {
  const y = (n - 1) * LINE_HEIGHT,
    h = (source.height ||= code.clientHeight)
  if (y < source.top + 36 || y > source.top + h - 54) code.scrollTop = source.top = Math.max(0, y - h / 2)
}
code.addEventListener('scroll', () => {
  source.top = code.scrollTop
  source.height = code.clientHeight
})

// A click on a line goes to its next execution, after the last to the first.
code.addEventListener('click', event => {
  const line = event.target.closest('.source')
  if (!line) return
  const R = run0(),
    n = +line.dataset.line,
    here = s => {
      const p = R.places[R.at[R.main[s]]]
      return p && p[0] === source.file && p[1] === n
    }
  for (let i = 1; i <= R.N; i++) {
    const s = ((view.play[0] + i - 1) % R.N) + 1
    if (here(s)) return goTo(s)
  }
})
$('files').addEventListener('click', event => {
  if (event.target.dataset.file) {
    showFile(+event.target.dataset.file)
    source.marked = new Map()
    markFile()
  }
})
// The lines of a file that was chosen by hand, without going back to the acting thread's.
function markFile() {
  const R = run0(),
    e = R.last[view.play[0]]
  R.threads.forEach((_, x) => {
    const d = doing(R, x, e),
      p = R.places[currentPlace(R, x, e)],
      line = p && p[0] === source.file && source.lines[p[1] - 1]
    if (!line || d.state === ENDED || d.state === NONE) return
    line.className = 'source here'
    line.style.setProperty('--c', cssColour(x))
    line.firstChild.innerHTML += badgeHtml(R, x, d.state)
    source.marked.set(p[1], 'by hand')
  })
}
