// Reading in, going to a step, the address, print; and window.luasync for tools.

// A page that says what is wrong with the recording.
function refuse(message) {
  document.querySelectorAll('#bar, #runs, #verdict, main, #replay, #badge').forEach(el => {
    el.hidden = true
  })
  $('title').textContent = 'luasync timeline'
  const text = document.createElement('p')
  text.className = 'message'
  text.setAttribute('role', 'alert')
  text.textContent = message
  document.body.append(text)
  $('live').textContent = message
  window.luasync = {
    runs: [],
    stepCount: 0,
    error: message,
    step() {},
    state: () => ({ step: 0, threads: [], objects: [] }),
  }
}
function readRecording() {
  let data
  try {
    data = JSON.parse($('data').textContent)
  } catch {
    return refuse('This recording is cut off or damaged: it cannot be read.')
  }
  if (data?.format !== 'luasync timeline') return refuse('This is no recording of luasync.')
  if (data.version !== 1) return refuse('This recording is of version ' + data.version + '; this page reads version 1.')
  if (!data.runs?.length) return refuse('There is no run in this recording.')
  return data
}

// To step s: the playhead, all panels, the live region, the address.
function goTo(s, quiet) {
  const [R, other] = view.runs
  s = Math.max(0, Math.min(s, R.N))
  view.step = s
  view.play = [s]
  if (other) {
    view.twin = twinOf(R, other, s)
    if (view.twin >= 0) view.twinBefore = view.twin
    view.play.push(view.twin >= 0 ? view.twin : view.twinBefore)
  }
  const x = xOf(R, s),
    margin = Math.min(90, (view.W - view.left) / 6)
  if ((x < view.left + 10 || x > view.W - margin) && !isWhole()) {
    view.x0 += (x - (x < view.left + 10 ? view.left + margin : view.W - margin)) / view.k
    clampView()
  }
  showState()
  markLines()
  markOutput()
  showTableLater()
  $('whereStep').textContent = s.toLocaleString('en')
  $('whereOf').textContent = ' of ' + R.N.toLocaleString('en')
  $('whereTime').textContent = R.T ? '· ' + clockText(R, R.st[s]) : ''
  if (!quiet)
    $('live').textContent = [
      'Step ' + s + ' of ' + R.N + (R.T ? ', ' + clockText(R, R.st[s]) : '') + ': ' + stepText(R, s),
      s ? stepMore(R, s).join(', ') : '',
      s ? placeText(R, R.at[R.main[s]]) : '',
    ]
      .filter(Boolean)
      .join('. ')
  draw()
  noteAddress()
}

// One run, at its beginning; one that failed at its end.
function pickRun(r) {
  const R = view.all[r],
    { run } = R
  view.run = r
  view.compare = null
  view.runs = [R]
  view.play = [0]
  view.hits = search = null
  foundText = ''
  view.mix = view.goal = R.T === 0 ? 0 : R.simulated ? 0.55 : 1
  if (view.selected >= R.threads.length) view.selected = -1
  layAxis(R)
  showHead()
  showSource()
  showOutput()
  resize()
  view.k = fitScale()
  view.x0 = -8 / view.k
  clampView()
  goTo(isWrong(run) ? R.N : 0, true)
  axisButtons()
}

// The address shares a view: run, step, comparison.
let addressTimer = 0
function noteAddress() {
  clearTimeout(addressTimer)
  addressTimer = setTimeout(() => {
    const words = new URLSearchParams({
      ...(view.run ? { run: view.run } : {}),
      ...(view.compare ? { compare: 1 } : {}),
      step: view.step,
    })
    try {
      history.replaceState(null, '', '#' + words)
    } catch {
      /* a page inside another one */
    }
  }, 120)
}
function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1)),
    number = name => (words.has(name) ? +words.get(name) || 0 : null)
  pickRun(Math.max(0, Math.min(number('run') ?? 0, view.all.length - 1)))
  const mix = number('mix')
  if (mix !== null && run0().T > 0) {
    view.mix = view.goal = Math.max(0, Math.min(1, mix))
    layAxis(run0())
    axisButtons()
    fitAll()
  }
  if (words.get('compare') && comparable(view.data)) showCompare(true)
  if (words.get('pane')) showPane(words.get('pane'))
  if (number('zoom')) zoom(number('zoom'), view.left)
  if (number('selected') !== null) choose(number('selected'))
  if (number('step') !== null) goTo(number('step'), true)
}
addEventListener('hashchange', () => {
  if (view.all.length && +new URLSearchParams(location.hash.slice(1)).get('step') !== view.step) readAddress()
})

addEventListener('resize', () => {
  if (!view.runs.length || view.print) return
  const whole = isWhole()
  resize()
  source.height = 0
  if (whole) {
    view.k = fitScale()
    view.x0 = -8 / view.k
  }
  clampView()
  draw()
})
// A print is light, the whole run, all panels, and the table of steps.
let themeBefore = ''
addEventListener('beforeprint', () => {
  if (!view.runs.length) return
  view.print = true
  themeBefore = document.documentElement.dataset.theme
  document.documentElement.dataset.theme = 'light'
  readColours()
  resize()
  view.k = fitScale()
  view.x0 = -8 / view.k
  paint()
})
addEventListener('afterprint', () => {
  if (!view.print) return
  view.print = false
  document.documentElement.dataset.theme = themeBefore
  readColours()
  resize()
  fitAll()
})

function begin() {
  $('reading').remove()
  const words = new URLSearchParams(location.hash.slice(1))
  let theme = words.get('theme')
  try {
    theme ||= localStorage.getItem('luasync-theme')
  } catch {
    /* a page without storage */
  }
  document.documentElement.dataset.theme =
    theme === 'dark' || theme === 'light' ? theme : matchMedia('(prefers-color-scheme:dark)').matches ? 'dark' : 'light'
  readColours()
  const data = readRecording()
  try {
    if (data) show(data)
  } catch (error) {
    refuse('This recording is damaged: ' + error.message)
  }
  document.documentElement.dataset.ready = '1'
}
function show(data) {
  view.data = data
  view.all = data.runs.map(run => derive(run, data))
  showLegend()
  showPane('state')
  readAddress()
  prepareFind(run0())
  window.luasync = {
    runs: data.runs,
    step: n => goTo(n),
    state: stateValue,
    get stepCount() {
      return run0().N
    },
  }
  paint()
  showTable()
  lanes.focus({ preventScroll: true })
}
begin()
