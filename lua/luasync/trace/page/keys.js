// Keys and buttons; following who woke whom.

// The thread that keys speak of; -1: none.
function choose(x) {
  view.selected = x
  const row = view.byThread[0][x]
  if (row) {
    if (row.y < lanes.scrollTop) lanes.scrollTop = row.y
    else if (row.y + row.h + view.top > lanes.scrollTop + view.H) lanes.scrollTop = row.y + row.h + view.top - view.H
    const R = run0()
    $('live').textContent = threadName(R, x) + ': ' + doing(R, x, R.last[view.play[0]]).text
  }
  draw()
  markLines()
  showState()
}
function chooseNext(d) {
  const rows = view.rows.filter(row => row.type === 'thread' && row.r === 0),
    i = rows.findIndex(row => row.id === view.selected)
  if (rows.length) choose(rows[Math.max(0, Math.min(rows.length - 1, i < 0 ? 0 : i + d))].id)
}

// To the next (d = 1) or previous (-1) step of thread x.
function ownStep(x, d) {
  const R = run0(),
    steps = R.eventSteps[x],
    events = R.events[x]
  for (
    let i = d > 0 ? upper(steps, view.play[0]) : upper(steps, view.play[0] - 1) - 1;
    i >= 0 && i < steps.length;
    i += d
  )
    if (R.main[steps[i]] === events[i]) {
      goTo(steps[i])
      return
    }
}
const step = (d, own) => (own && view.selected >= 0 ? ownStep(view.selected, d) : goTo(view.step + d))

// To the step that woke or started the chosen thread (or the acting one).
function followBack() {
  const R = run0(),
    s = view.play[0],
    x = view.selected >= 0 ? view.selected : (R.th[R.main[s]] ?? -1)
  if (x < 0) return
  const track = R.seg[x]
  for (let j = upper(track.s, s) - 1; j >= 0; j--) {
    const i = track.ev[j],
      waker = i >= 0 && (R.k[i] === WAKE || (R.k[i] === OP && R.op[i] === O.start)) ? R.th[i] : -1
    if (waker < 0 || (track.s[j] === s && waker === x)) continue
    view.selected = waker
    goTo(track.s[j])
    return
  }
}
// To what this step brings about: where the woken thread goes on, where the item is taken.
function followOn() {
  const R = run0(),
    s = view.play[0],
    p = R.arrows[upper(R.arrowSteps, s - 1)]
  if (!p || p.s !== s) return
  view.selected = p.to
  if (p.s1 !== undefined && p.s1 !== s) goTo(p.s1)
  else ownStep(p.to, 1)
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem('luasync-theme', theme)
  } catch {
    /* a page without storage */
  }
  readColours()
  view.stripDirty = true
  if (view.runs.length) draw()
}

// Show…: which threads, objects and arrows are drawn.
function toggleMenu(open = menu.hidden) {
  const R = run0(),
    box = (key, html, on = !view.hide.has(key)) =>
      '<label><input type="checkbox" data-key="' + key + '"' + (on ? ' checked' : '') + '> ' + html + '</label>'
  menu.hidden = !open
  $('showMenu').setAttribute('aria-expanded', open)
  if (!open) return
  menu.innerHTML =
    '<h2>Show</h2>' +
    box('arrows', 'all arrows in view', view.arrows) +
    '<h2>Threads</h2>' +
    R.threads
      .slice(0, 60)
      .map((t, x) => box('t' + x, badgeHtml(R, x) + ' ' + escapeHtml(t.name)))
      .join('') +
    (R.order.length
      ? '<h2>Objects</h2>' +
        R.order
          .slice(0, 100)
          .map(o => box('o' + o, escapeHtml(objectName(R, o))))
          .join('')
      : '')
}
const menu = $('menu')
menu.addEventListener('change', event => {
  const { key } = event.target.dataset
  if (key === 'arrows') view.arrows = event.target.checked
  else if (event.target.checked) view.hide.delete(key)
  else view.hide.add(key)
  resize()
  showState()
  draw()
})

const AXES = [0, 0.55, 1]
const KEYS = {
  ArrowRight: event => step(1, event.shiftKey),
  ArrowLeft: event => step(-1, event.shiftKey),
  ArrowDown: () => chooseNext(1),
  ArrowUp: () => chooseNext(-1),
  Home: () => goTo(0),
  End: () => goTo(Infinity),
  '+': () => zoom(1.4, playPixel()),
  '=': () => zoom(1.4, playPixel()),
  '-': () => zoom(1 / 1.4, playPixel()),
  0: fitAll,
  w: () => zoom(1.4, playPixel()),
  s: () => zoom(1 / 1.4, playPixel()),
  a: () => pan(-60),
  d: () => pan(60),
  x: () => axisTo(AXES[(AXES.findIndex(mix => Math.abs(mix - view.goal) < 0.01) + 1) % 3]),
  '/': () => findField.focus(),
  t: openTable,
  l: () => $('theme').click(),
  '?': () => $('keysDialog').showModal(),
  '[': followBack,
  ']': followOn,
  Escape: () => {
    toggleMenu(false)
    choose(-1)
  },
}
addEventListener('keydown', event => {
  if (!view.runs.length) return
  if (event.target === findField) {
    if (event.key === 'Enter') {
      event.preventDefault()
      find(true)
    }
    if (event.key === 'Escape') {
      findField.value = ''
      find()
      lanes.focus()
    }
    return
  }
  if (
    document.querySelector('dialog[open]') ||
    event.altKey ||
    event.ctrlKey ||
    event.metaKey ||
    event.target.matches('select')
  )
    return
  const act = KEYS[event.key] || (event.key.length === 1 && KEYS[event.key.toLowerCase()])
  if (act) {
    event.preventDefault()
    act(event)
  }
})

const BUTTONS = {
  first: () => goTo(0),
  back: () => goTo(view.step - 1),
  next: () => goTo(view.step + 1),
  last: () => goTo(Infinity),
  goToEnd: () => goTo(Infinity),
  zoomIn: () => zoom(1.6, playPixel()),
  zoomOut: () => zoom(1 / 1.6, playPixel()),
  zoomFit: fitAll,
  theme: () => setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'),
  showKeys: () => $('keysDialog').showModal(),
  showTable: openTable,
  showMenu: () => toggleMenu(),
  save: saveRecording,
  copy: copyCommand,
}
for (const id in BUTTONS) $(id).addEventListener('click', BUTTONS[id])
$('axis').addEventListener('click', event => {
  if (event.target.dataset.mix) axisTo(+event.target.dataset.mix)
})
$('runs').addEventListener('click', event => {
  const { id, dataset } = event.target
  if (id === 'compare') showCompare(!view.compare, comparable(view.data).a, comparable(view.data).b)
  else if (dataset.run) pickRun(+dataset.run)
})
$('runs').addEventListener('change', () =>
  showCompare(true, ...['a', 'b'].map(side => +$('runs').querySelector('[data-side=' + side + ']').value))
)
for (const button of document.querySelectorAll('[data-close]'))
  button.addEventListener('click', () => button.closest('dialog').close())
document.querySelector('.panes').addEventListener('click', event => {
  if (event.target.dataset.pane) showPane(event.target.dataset.pane)
})
function showPane(pane) {
  main.dataset.pane = pane
  for (const button of document.querySelectorAll('.panes button'))
    button.setAttribute('aria-pressed', button.dataset.pane === pane)
  if (view.runs.length) {
    source.height = 0
    markLines()
    markOutput()
  }
}

function saveRecording() {
  const link = document.createElement('a'),
    url = URL.createObjectURL(new Blob([$('data').textContent], { type: 'application/json' }))
  link.href = url
  link.download =
    visible(run0().files[0]?.name ?? 'timeline')
      .replace(/\.lua$/, '')
      .replace(/[^\w.-]+/g, '_') + '.json'
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}
async function copyCommand() {
  try {
    await navigator.clipboard.writeText($('command').textContent)
  } catch {
    const range = document.createRange()
    range.selectNodeContents($('command'))
    getSelection().removeAllRanges()
    getSelection().addRange(range)
    document.execCommand('copy')
  }
  $('copy').textContent = 'Copied'
  setTimeout(() => {
    $('copy').textContent = 'Copy'
  }, 1200)
}
