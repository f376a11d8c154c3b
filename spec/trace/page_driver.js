// Uses a timeline page as a reader does, and notes what came of it. Runs inside the page, which shows the semaphore
// pool; page_frames.js goes on with other pages and writes the results down.
const results = [],
  wait = ms => new Promise(done => setTimeout(done, ms)),
  byPart = name => document.querySelector('[data-part="' + name + '"]')
const until = async f => {
    for (let i = 0; i < 200 && !f(); i++) await wait(50)
  },
  still = () => until(() => view.mix === view.goal)
const check = (name, ok, detail) => results.push({ name, ok: !!ok, detail: String(detail ?? '') })
const equal = (name, wanted, got) =>
  check(
    name,
    JSON.stringify(wanted) === JSON.stringify(got),
    'wanted ' + JSON.stringify(wanted) + ', got ' + JSON.stringify(got)
  )
const lane = document.querySelector('[data-part="lanes"]'),
  picture = lane.querySelector('canvas'),
  live = document.querySelector('[data-live]')
const press = (key, more = {}) =>
  (document.activeElement || document.body).dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more })
  )
const at = () => luasync.state().step
const threadNow = name => luasync.state().threads.find(t => t.name === name)
picture.setPointerCapture = byPart('strip').setPointerCapture = () => {}
function pointer(target, type, x, y, id = 1) {
  const box = target.getBoundingClientRect()
  target.dispatchEvent(
    new PointerEvent(type, {
      clientX: box.left + x,
      clientY: box.top + y,
      pointerId: id,
      bubbles: true,
      cancelable: true,
    })
  )
}
function wheel(x, y, more) {
  const box = picture.getBoundingClientRect()
  picture.dispatchEvent(
    new WheelEvent('wheel', { clientX: box.left + x, clientY: box.top + y, bubbles: true, cancelable: true, ...more })
  )
}
function clickAt(target, x, y) {
  pointer(target, 'pointerdown', x, y)
  pointer(target, 'pointerup', x, y)
}
const pixelOf = s => xOf(run0(), s)

async function parts() {
  equal('the page says that it is drawn', '1', document.documentElement.dataset.ready)
  equal(
    'every part has its name',
    [],
    ['head', 'bar', 'strip', 'lanes', 'objects', 'state', 'source', 'output', 'table'].filter(name => !byPart(name))
  )
  equal(
    "every lane has its thread's name",
    ['MainThread', '0', '1', '2', '3'],
    [...document.querySelectorAll('[data-thread]')].map(el => el.dataset.thread)
  )
  equal(
    'the picture is not empty',
    true,
    new Set(picture.getContext('2d').getImageData(0, 0, picture.width, picture.height).data).size > 20
  )
  equal('luasync.stepCount', 74, luasync.stepCount)
  equal('a run that ended well opens at its beginning', 0, at())
  check(
    'the head says program, verdict, size and command',
    /32_semaphore_active_pool\.lua.*ended well.*5 threads · 3 objects · 74 steps · 200 ms.*luasync --virtual/s.test(
      byPart('head').textContent
    ),
    byPart('head').textContent
  )
}

async function stepping() {
  press('ArrowRight')
  equal('→ goes one step on', 1, at())
  check(
    'the live region speaks the step',
    /^Step 1 of 74, 0\.000 s: MainThread starts thread '0'/.test(live.textContent),
    live.textContent
  )
  press('ArrowRight')
  press('ArrowLeft')
  equal('← goes one step back', 1, at())
  for (let i = 0; i < 5; i++) press('ArrowRight', { repeat: true })
  equal('a key that is held repeats', 6, at())
  press('End')
  equal('End goes to the last step', 74, at())
  press('Home')
  equal('Home goes to the first step', 0, at())
  for (const [id, wanted] of [
    ['next', 1],
    ['last', 74],
    ['back', 73],
    ['first', 0],
  ]) {
    document.getElementById(id).click()
    equal('the button ' + id, wanted, at())
  }
  luasync.step(41)
  equal(
    'a step is said with its consequences',
    "1thread '1' gives a unit back to Semaphore-1 → hands a unit to thread '3', wakes thread '3' 32_semaphore_active_pool.lua:50",
    byPart('state').querySelector('.what').textContent.trim().replace(/^1 /, '1')
  )
  equal('state(): who holds what', ['Semaphore-1'], threadNow('3').holds)
  equal(
    'state(): what threads do',
    ['ready', 'ended', 'running', 'ready', 'ready'],
    luasync.state().threads.map(t => t.state)
  )
  equal('state(): lines', 50, threadNow('1').line)
  luasync.step(40)
  equal('state(): whom it waits for', ['waiting', 'Semaphore-1'], [threadNow('3').state, threadNow('3').waitsFor])
  equal(
    'state(): objects',
    'value 0 of 2 · in line: 3',
    luasync.state().objects.find(o => o.name === 'Semaphore-1').text
  )
}

async function ownSteps() {
  press('Escape')
  press('Home')
  press('ArrowDown')
  press('ArrowDown')
  equal('↓ chooses a thread', 1, view.selected)
  check('choosing is spoken', /^thread '0': /.test(live.textContent), live.textContent)
  press('ArrowUp')
  equal('↑ chooses the one above', 0, view.selected)
  document.querySelector('[data-thread="0"]').click()
  equal('a click on the name chooses', 1, view.selected)
  press('ArrowRight', { shiftKey: true })
  equal('Shift → goes to its own next step', 6, at())
  press('ArrowRight', { shiftKey: true })
  equal('and the one after that', 7, at())
  press('ArrowLeft', { shiftKey: true })
  equal('Shift ← goes back in its own steps', 6, at())
  press('Escape')
  equal('Esc lets go', -1, view.selected)
}

async function following() {
  luasync.step(41)
  press(']')
  check('] goes to where the woken thread goes on', at() > 41 && view.selected === 4, at() + ' ' + view.selected)
  press('[')
  equal('[ goes to the step that woke it', 41, at())
  equal('and chooses the waker', 2, view.selected)
  luasync.step(41)
  view.selected = 4
  press('[')
  equal('[ from the chosen thread', 41, at())
  press('Escape')
}

async function axes() {
  press('Home')
  equal('virtual time opens with the axis Both', 0.55, view.mix)
  press('x')
  await still()
  equal('X goes to the next axis', 1, view.mix)
  check('in true time steps without time stand on one place', Math.abs(pixelOf(10) - pixelOf(20)) < 0.5)
  press('x')
  await still()
  equal('X again: steps', 0, view.mix)
  check('steps are as wide as each other', Math.abs(pixelOf(2) - pixelOf(1) - (pixelOf(60) - pixelOf(59))) < 0.01)
  const button = document.querySelector('#axis [data-mix="0.55"]')
  button.click()
  await still()
  equal('the axis has buttons', [0.55, 'true'], [view.mix, button.getAttribute('aria-pressed')])
}

async function zooming() {
  const whole = view.k
  luasync.step(20)
  press('+')
  check('+ zooms in', view.k > whole)
  press('-')
  press('-')
  equal('− zooms out, to the whole run', whole, view.k)
  press('w')
  check('W zooms in', view.k > whole)
  press('s')
  document.getElementById('zoomIn').click()
  check('a button zooms in', view.k > whole)
  press('0')
  equal('0 shows the whole run', whole, view.k)
  const x = Math.round(pixelOf(41)),
    place = place0(x)
  wheel(x, 200, { deltaY: -300, ctrlKey: true })
  check('Ctrl + wheel zooms', view.k > whole)
  check('around the mouse', Math.abs(place0(x) - place) * view.k < 1, place0(x) - place)
  press('0')
  wheel(x, 10, { deltaY: -300 })
  check('the wheel over the ruler zooms', view.k > whole)
  press('0')
  wheel(x, 200, { deltaY: -300 })
  check('the wheel alone too where all lanes fit', view.k > whole || lane.scrollHeight > lane.clientHeight + 1)
  press('0')
  for (const [type, far] of [
    ['pointerdown', 0],
    ['pointermove', 0],
    ['pointermove', 80],
    ['pointermove', 160],
  ]) {
    pointer(picture, type, 500 - far, 150, 1)
    pointer(picture, type, 560 + far, 150, 2)
  }
  check('two fingers zoom', view.k > whole * 1.5, view.k / whole)
  pointer(picture, 'pointerup', 340, 150, 1)
  pointer(picture, 'pointerup', 720, 150, 2)
  await wait(50)
}

async function panning() {
  const left = () => view.x0
  press('0')
  for (let i = 0; i < 6; i++) press('+')
  let before = left()
  press('d')
  check('D pans', left() > before)
  press('a')
  before = left()
  pointer(picture, 'pointerdown', 600, 150)
  pointer(picture, 'pointermove', 560, 150)
  pointer(picture, 'pointermove', 400, 150)
  pointer(picture, 'pointerup', 400, 150)
  check('a drag pans', Math.abs(left() - before - 200 / view.k) < 0.5 || left() > before, left() - before)
  before = left()
  wheel(500, 200, { deltaX: -80 })
  check('the wheel sideways pans', left() < before)
  before = left()
  wheel(500, 200, { deltaY: 80, shiftKey: true })
  check('Shift + wheel pans', left() > before)
  const strip = byPart('strip')
  before = left()
  pointer(strip, 'pointerdown', strip.clientWidth - 60, 15)
  pointer(strip, 'pointermove', strip.clientWidth - 50, 15)
  pointer(strip, 'pointerup', strip.clientWidth - 50, 15)
  check('the strip moves the part in view', left() > before)
  press('0')
  await wait(50)
}

async function playhead() {
  paint()
  const row = view.byThread[0][2],
    y = row.y + view.off + row.top + 5
  clickAt(picture, pixelOf(37), y)
  check('a click in a lane goes to the nearest step of that thread', run0().th[run0().main[at()]] === 2, at())
  pointer(picture, 'pointerdown', pixelOf(10), 20)
  pointer(picture, 'pointermove', pixelOf(50), 20)
  pointer(picture, 'pointerup', pixelOf(50), 20)
  equal('a drag on the ruler moves the playhead', 50, at())
  luasync.step(0)
  const line = document.querySelector('[data-part="source"] [data-line="45"]')
  line.click()
  equal('a click on a source line goes to its next execution', 7, at())
  line.click()
  equal('and to the one after that', 15, at())
  check(
    "the acting thread's badge stands full at its line",
    line.classList.contains('acts') && line.querySelector('.tag:not(.hollow)').textContent === '1',
    line.innerHTML
  )
  document.querySelectorAll('.printed')[2].click()
  equal('a click on an output line goes there', 14, at())
  check(
    'later output is pale',
    document.querySelectorAll('.printed.later').length === 9 || document.querySelectorAll('.printed.later').length > 3,
    document.querySelectorAll('.printed.later').length
  )
  press('t')
  check('T opens the table', document.getElementById('tableDialog').open)
  const rows = document.querySelectorAll('[data-part="table"] tbody tr[data-step]')
  equal('the table has a row for each step', 74, rows.length)
  equal('it marks the step', '14', document.querySelector('[data-part="table"] tr.now').dataset.step)
  rows[29].click()
  equal('a click on a row goes there', [30, false], [at(), document.getElementById('tableDialog').open])
}

async function hovering() {
  const row = view.byThread[0][4],
    tip = document.getElementById('tip'),
    y = row.y + view.off + row.top + 5
  pointer(picture, 'pointermove', pixelOf(30), y)
  check(
    'a hover says what, how long, where and who ended it',
    /thread '3' waits for a unit of Semaphore-1.*100 ms, \d+ steps · 32_semaphore_active_pool\.lua:45.*woken by thread '1' 32_semaphore_active_pool\.lua:50/.test(
      tip.textContent
    ) && tip.style.display === 'block',
    tip.textContent
  )
  check('a hover over a wait draws whom it is for', view.hover && view.hover.x === 4)
  pointer(picture, 'pointermove', pixelOf(30), view.rows.find(r => r.type === 'object').y + view.off + 5)
  check(
    'a hover over an object says its state',
    /Lock-1 at step 30: held by thread '0'/.test(tip.textContent),
    tip.textContent
  )
  pointer(picture, 'pointerleave', 0, 0)
  equal('and goes away', 'none', tip.style.display)
}

async function finding() {
  press('Home')
  press('/')
  const field = document.getElementById('find')
  equal('/ goes to the field', field, document.activeElement)
  const type = text => {
    field.value = text
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }
  type('gives a unit')
  equal('find counts', '– of 4', document.getElementById('hits').textContent)
  press('Enter')
  equal('Enter goes to the next hit', 33, at())
  press('Enter')
  equal('and on', 41, at())
  type(':48')
  check(
    'find takes lines',
    document.getElementById('hits').textContent.endsWith('of 4'),
    document.getElementById('hits').textContent
  )
  type('running: [')
  check('find takes printed text', view.hits.length === 8, view.hits.length)
  type('nothing like it')
  equal('find says none', 'none', document.getElementById('hits').textContent)
  press('Escape')
  equal('Esc leaves the field', [lane, null], [document.activeElement, view.hits])
}

async function showing() {
  document.getElementById('showMenu').click()
  const box = document.querySelector('#menu [data-key="t1"]')
  box.click()
  await wait(50)
  equal(
    'a thread can be hidden',
    ['MainThread', '1', '2', '3'],
    [...document.querySelectorAll('[data-thread]')].map(el => el.dataset.thread)
  )
  box.click()
  await wait(50)
  equal('and shown again', 5, document.querySelectorAll('[data-thread]').length)
  document.querySelector('#menu [data-key="arrows"]').click()
  equal('arrows can be left out', false, view.arrows)
  document.querySelector('#menu [data-key="arrows"]').click()
  press('Escape')
  check('Esc closes the menu', document.getElementById('menu').hidden)
  const before = document.documentElement.dataset.theme
  press('l')
  check('L changes light and dark', document.documentElement.dataset.theme !== before)
  press('?')
  check('? lists the keys', document.getElementById('keysDialog').open)
  document.querySelector('#keysDialog [data-close]').click()
  check('and closes', !document.getElementById('keysDialog').open)
  let saved = null
  const click = HTMLAnchorElement.prototype.click
  HTMLAnchorElement.prototype.click = function () {
    saved = this.download
  }
  document.getElementById('save').click()
  HTMLAnchorElement.prototype.click = click
  equal('the recording can be saved', '32_semaphore_active_pool.json', saved)
  luasync.step(23)
  await wait(300)
  check('the address holds the step', /step=23/.test(location.hash), location.hash)
  location.hash = '#step=12'
  await wait(100)
  equal('and leads to it', 12, at())
}

async function printing() {
  document.documentElement.dataset.theme = 'dark'
  readColours()
  press('+')
  press('+')
  window.dispatchEvent(new Event('beforeprint'))
  equal('a print is light', 'light', document.documentElement.dataset.theme)
  check('and has the whole run', Math.abs(view.k - fitScale()) < 1e-9)
  check('and all lanes', view.H >= view.height)
  window.dispatchEvent(new Event('afterprint'))
  await wait(50)
  equal('then all is as before', 'dark', document.documentElement.dataset.theme)
}
