// Uses a timeline page as a reader does, and writes what came of it into <pre id="results">. Runs inside the page, which
// shows the semaphore pool; CASES holds other pages, which are opened in frames.
const results = [], wait = ms => new Promise(done => setTimeout(done, ms)), byPart = name => document.querySelector('[data-part="' + name + '"]')
const until = async f => { for (let i = 0; i < 200 && !f(); i++) await wait(50) }, still = () => until(() => view.mix === view.goal)
const check = (name, ok, detail) => results.push({ name, ok: !!ok, detail: String(detail ?? '') })
const equal = (name, wanted, got) => check(name, JSON.stringify(wanted) === JSON.stringify(got), 'wanted ' + JSON.stringify(wanted) + ', got ' + JSON.stringify(got))
const lane = document.querySelector('[data-part="lanes"]'), picture = lane.querySelector('canvas'), live = document.querySelector('[data-live]')
const press = (key, more = {}) => (document.activeElement || document.body).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }))
const at = () => luasync.state().step
const threadNow = name => luasync.state().threads.find(t => t.name === name)
picture.setPointerCapture = byPart('strip').setPointerCapture = () => {}
function pointer(target, type, x, y, id = 1) {
  const box = target.getBoundingClientRect()
  target.dispatchEvent(new PointerEvent(type, { clientX: box.left + x, clientY: box.top + y, pointerId: id, bubbles: true, cancelable: true }))
}
function wheel(x, y, more) {
  const box = picture.getBoundingClientRect()
  picture.dispatchEvent(new WheelEvent('wheel', { clientX: box.left + x, clientY: box.top + y, bubbles: true, cancelable: true, ...more }))
}
function clickAt(target, x, y) { pointer(target, 'pointerdown', x, y); pointer(target, 'pointerup', x, y) }
const pixelOf = s => xOf(run0(), s)

async function parts() {
  equal('the page says that it is drawn', '1', document.documentElement.dataset.ready)
  equal('every part has its name', [], ['head', 'bar', 'strip', 'lanes', 'objects', 'state', 'source', 'output', 'table'].filter(name => !byPart(name)))
  equal('every lane has its thread\'s name', ['MainThread', '0', '1', '2', '3'], [...document.querySelectorAll('[data-thread]')].map(el => el.dataset.thread))
  equal('the picture is not empty', true, new Set(picture.getContext('2d').getImageData(0, 0, picture.width, picture.height).data).size > 20)
  equal('luasync.stepCount', 74, luasync.stepCount)
  equal('a run that ended well opens at its beginning', 0, at())
  check('the head says program, verdict, size and command', /32_semaphore_active_pool\.lua.*ended well.*5 threads · 3 objects · 74 steps · 200 ms.*luasync --virtual/s.test(byPart('head').textContent), byPart('head').textContent)
}

async function stepping() {
  press('ArrowRight')
  equal('→ goes one step on', 1, at())
  check('the live region speaks the step', /^Step 1 of 74, 0\.000 s: MainThread starts thread '0'/.test(live.textContent), live.textContent)
  press('ArrowRight'); press('ArrowLeft')
  equal('← goes one step back', 1, at())
  for (let i = 0; i < 5; i++) press('ArrowRight', { repeat: true })
  equal('a key that is held repeats', 6, at())
  press('End'); equal('End goes to the last step', 74, at())
  press('Home'); equal('Home goes to the first step', 0, at())
  for (const [id, wanted] of [['next', 1], ['last', 74], ['back', 73], ['first', 0]]) { document.getElementById(id).click(); equal('the button ' + id, wanted, at()) }
  luasync.step(41)
  equal('a step is said with its consequences', "1thread '1' gives a unit back to Semaphore-1 → hands a unit to thread '3', wakes thread '3' 32_semaphore_active_pool.lua:50", byPart('state').querySelector('.what').textContent.trim().replace(/^1 /, '1'))
  equal('state(): who holds what', ['Semaphore-1'], threadNow('3').holds)
  equal('state(): what threads do', ['ready', 'ended', 'running', 'ready', 'ready'], luasync.state().threads.map(t => t.state))
  equal('state(): lines', 50, threadNow('1').line)
  luasync.step(40)
  equal('state(): whom it waits for', ['waiting', 'Semaphore-1'], [threadNow('3').state, threadNow('3').waitsFor])
  equal('state(): objects', 'value 0 of 2 · in line: 3', luasync.state().objects.find(o => o.name === 'Semaphore-1').text)
}

async function ownSteps() {
  press('Escape'); press('Home')
  press('ArrowDown'); press('ArrowDown')
  equal('↓ chooses a thread', 1, view.selected)
  check('choosing is spoken', /^thread '0': /.test(live.textContent), live.textContent)
  press('ArrowUp'); equal('↑ chooses the one above', 0, view.selected)
  document.querySelector('[data-thread="0"]').click(); equal('a click on the name chooses', 1, view.selected)
  press('ArrowRight', { shiftKey: true }); equal('Shift → goes to its own next step', 6, at())
  press('ArrowRight', { shiftKey: true }); equal('and the one after that', 7, at())
  press('ArrowLeft', { shiftKey: true }); equal('Shift ← goes back in its own steps', 6, at())
  press('Escape'); equal('Esc lets go', -1, view.selected)
}

async function following() {
  luasync.step(41)
  press(']'); check('] goes to where the woken thread goes on', at() > 41 && view.selected === 4, at() + ' ' + view.selected)
  press('['); equal('[ goes to the step that woke it', 41, at())
  equal('and chooses the waker', 2, view.selected)
  luasync.step(41); view.selected = 4; press('['); equal('[ from the chosen thread', 41, at())
  press('Escape')
}

async function axes() {
  press('Home')
  equal('virtual time opens with the axis Both', .55, view.mix)
  press('x'); await still(); equal('X goes to the next axis', 1, view.mix)
  check('in true time steps without time stand on one place', Math.abs(pixelOf(10) - pixelOf(20)) < .5)
  press('x'); await still(); equal('X again: steps', 0, view.mix)
  check('steps are as wide as each other', Math.abs(pixelOf(2) - pixelOf(1) - (pixelOf(60) - pixelOf(59))) < .01)
  const button = document.querySelector('#axis [data-mix="0.55"]')
  button.click(); await still(); equal('the axis has buttons', [.55, 'true'], [view.mix, button.getAttribute('aria-pressed')])
}

async function zooming() {
  const whole = view.k
  luasync.step(20); press('+'); check('+ zooms in', view.k > whole); press('-'); press('-'); equal('− zooms out, to the whole run', whole, view.k)
  press('w'); check('W zooms in', view.k > whole); press('s')
  document.getElementById('zoomIn').click(); check('a button zooms in', view.k > whole)
  press('0'); equal('0 shows the whole run', whole, view.k)
  const x = Math.round(pixelOf(41)), place = place0(x)
  wheel(x, 200, { deltaY: -300, ctrlKey: true }); check('Ctrl + wheel zooms', view.k > whole); check('around the mouse', Math.abs(place0(x) - place) * view.k < 1, place0(x) - place)
  press('0'); wheel(x, 10, { deltaY: -300 }); check('the wheel over the ruler zooms', view.k > whole)
  press('0'); wheel(x, 200, { deltaY: -300 }); check('the wheel alone too where all lanes fit', view.k > whole || lane.scrollHeight > lane.clientHeight + 1)
  press('0')
  for (const [type, far] of [['pointerdown', 0], ['pointermove', 0], ['pointermove', 80], ['pointermove', 160]]) { pointer(picture, type, 500 - far, 150, 1); pointer(picture, type, 560 + far, 150, 2) }
  check('two fingers zoom', view.k > whole * 1.5, view.k / whole)
  pointer(picture, 'pointerup', 340, 150, 1); pointer(picture, 'pointerup', 720, 150, 2)
  await wait(50)
}

async function panning() {
  const left = () => view.x0
  press('0'); for (let i = 0; i < 6; i++) press('+')
  let before = left(); press('d'); check('D pans', left() > before); press('a')
  before = left(); pointer(picture, 'pointerdown', 600, 150); pointer(picture, 'pointermove', 560, 150); pointer(picture, 'pointermove', 400, 150); pointer(picture, 'pointerup', 400, 150)
  check('a drag pans', Math.abs(left() - before - 200 / view.k) < .5 || left() > before, left() - before)
  before = left(); wheel(500, 200, { deltaX: -80 }); check('the wheel sideways pans', left() < before)
  before = left(); wheel(500, 200, { deltaY: 80, shiftKey: true }); check('Shift + wheel pans', left() > before)
  const strip = byPart('strip')
  before = left(); pointer(strip, 'pointerdown', strip.clientWidth - 60, 15); pointer(strip, 'pointermove', strip.clientWidth - 50, 15); pointer(strip, 'pointerup', strip.clientWidth - 50, 15)
  check('the strip moves the part in view', left() > before)
  press('0'); await wait(50)
}

async function playhead() {
  paint()
  const row = view.byThread[0][2], y = row.y + view.off + row.top + 5
  clickAt(picture, pixelOf(37), y); check('a click in a lane goes to the nearest step of that thread', run0().th[run0().main[at()]] === 2, at())
  pointer(picture, 'pointerdown', pixelOf(10), 20); pointer(picture, 'pointermove', pixelOf(50), 20); pointer(picture, 'pointerup', pixelOf(50), 20)
  equal('a drag on the ruler moves the playhead', 50, at())
  luasync.step(0)
  const line = document.querySelector('[data-part="source"] [data-line="45"]')
  line.click(); equal('a click on a source line goes to its next execution', 7, at())
  line.click(); equal('and to the one after that', 15, at())
  check('the acting thread\'s badge stands full at its line', line.classList.contains('acts') && line.querySelector('.tag:not(.hollow)').textContent === '1', line.innerHTML)
  document.querySelectorAll('.printed')[2].click(); equal('a click on an output line goes there', 14, at())
  check('later output is pale', document.querySelectorAll('.printed.later').length === 9 || document.querySelectorAll('.printed.later').length > 3, document.querySelectorAll('.printed.later').length)
  press('t'); check('T opens the table', document.getElementById('tableDialog').open)
  const rows = document.querySelectorAll('[data-part="table"] tbody tr[data-step]')
  equal('the table has a row for each step', 74, rows.length)
  equal('it marks the step', '14', document.querySelector('[data-part="table"] tr.now').dataset.step)
  rows[29].click(); equal('a click on a row goes there', [30, false], [at(), document.getElementById('tableDialog').open])
}

async function hovering() {
  const row = view.byThread[0][4], tip = document.getElementById('tip'), y = row.y + view.off + row.top + 5
  pointer(picture, 'pointermove', pixelOf(30), y)
  check('a hover says what, how long, where and who ended it', /thread '3' waits for a unit of Semaphore-1.*100 ms, \d+ steps · 32_semaphore_active_pool\.lua:45.*woken by thread '1' 32_semaphore_active_pool\.lua:50/.test(tip.textContent) && tip.style.display === 'block', tip.textContent)
  check('a hover over a wait draws whom it is for', view.hover && view.hover.x === 4)
  pointer(picture, 'pointermove', pixelOf(30), view.rows.find(r => r.type === 'object').y + view.off + 5)
  check('a hover over an object says its state', /Lock-1 at step 30: held by thread '0'/.test(tip.textContent), tip.textContent)
  pointer(picture, 'pointerleave', 0, 0); equal('and goes away', 'none', tip.style.display)
}

async function finding() {
  press('Home'); press('/')
  const field = document.getElementById('find')
  equal('/ goes to the field', field, document.activeElement)
  const type = text => { field.value = text; field.dispatchEvent(new Event('input', { bubbles: true })) }
  type('gives a unit'); equal('find counts', '– of 4', document.getElementById('hits').textContent)
  press('Enter'); equal('Enter goes to the next hit', 33, at()); press('Enter'); equal('and on', 41, at())
  type(':48'); check('find takes lines', document.getElementById('hits').textContent.endsWith('of 4'), document.getElementById('hits').textContent)
  type('running: ['); check('find takes printed text', view.hits.length === 8, view.hits.length)
  type('nothing like it'); equal('find says none', 'none', document.getElementById('hits').textContent)
  press('Escape'); equal('Esc leaves the field', [lane, null], [document.activeElement, view.hits])
}

async function showing() {
  document.getElementById('showMenu').click()
  const box = document.querySelector('#menu [data-key="t1"]')
  box.click(); await wait(50)
  equal('a thread can be hidden', ['MainThread', '1', '2', '3'], [...document.querySelectorAll('[data-thread]')].map(el => el.dataset.thread))
  box.click(); await wait(50); equal('and shown again', 5, document.querySelectorAll('[data-thread]').length)
  document.querySelector('#menu [data-key="arrows"]').click(); equal('arrows can be left out', false, view.arrows)
  document.querySelector('#menu [data-key="arrows"]').click()
  press('Escape'); check('Esc closes the menu', document.getElementById('menu').hidden)
  const before = document.documentElement.dataset.theme; press('l')
  check('L changes light and dark', document.documentElement.dataset.theme !== before)
  press('?'); check('? lists the keys', document.getElementById('keysDialog').open)
  document.querySelector('#keysDialog [data-close]').click(); check('and closes', !document.getElementById('keysDialog').open)
  let saved = null
  const click = HTMLAnchorElement.prototype.click
  HTMLAnchorElement.prototype.click = function () { saved = this.download }
  document.getElementById('save').click(); HTMLAnchorElement.prototype.click = click
  equal('the recording can be saved', '32_semaphore_active_pool.json', saved)
  luasync.step(23); await wait(300); check('the address holds the step', /step=23/.test(location.hash), location.hash)
  location.hash = '#step=12'; await wait(100); equal('and leads to it', 12, at())
}

async function printing() {
  document.documentElement.dataset.theme = 'dark'; readColours(); press('+'); press('+')
  window.dispatchEvent(new Event('beforeprint'))
  equal('a print is light', 'light', document.documentElement.dataset.theme)
  check('and has the whole run', Math.abs(view.k - fitScale()) < 1e-9)
  check('and all lanes', view.H >= view.height)
  window.dispatchEvent(new Event('afterprint')); await wait(50)
  equal('then all is as before', 'dark', document.documentElement.dataset.theme)
}

// ---- other recordings, each in a frame of its own
async function open(name) {
  const frame = document.createElement('iframe')
  frame.style.cssText = 'width:1400px;height:900px;position:absolute;left:0;top:2000px'
  frame.srcdoc = CASES[name]
  document.body.append(frame)
  await new Promise(done => { frame.onload = done })
  const win = frame.contentWindow
  equal(name + ': drawn', '1', win.document.documentElement.dataset.ready)
  return { win, doc: win.document, frame, text: part => win.document.querySelector('[data-part="' + part + '"]')?.textContent ?? '',
    press: (key, more) => win.document.body.dispatchEvent(new win.KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more })) }
}
const gone = page => page.frame.remove()

async function deadlock() {
  const p = await open('philosophers'), { win, doc } = p, step = () => win.luasync.state().step
  equal('a failing run opens at its end', 10, step())
  check('its sentence is in a red box', !doc.getElementById('verdict').hidden && /Deadlock\..*P1 waits for Lock 'B' held by P2/s.test(doc.getElementById('verdict').textContent))
  equal('state(): a deadlock', [['P1', 'waiting', "Lock 'B'", ["Lock 'A'"], 8], ['P2', 'waiting', "Lock 'C'", ["Lock 'B'"], 8], ['P3', 'waiting', "Lock 'A'", ["Lock 'C'"], 8]],
    win.luasync.state().threads.slice(1).map(t => [t.name, t.state, t.waitsFor, t.holds, t.line]))
  const red = () => doc.querySelectorAll('.graph path[stroke="var(--red)"]').length
  equal('the wait-for graph is closed', 6, red())
  p.press('ArrowLeft'); equal('one step back an edge goes grey', 5, red())
  win.luasync.step(0); equal('at the beginning there is none', 0, red())
  doc.getElementById('goToEnd').click(); equal('Go there', 10, step())
  win.eval('choose(1)'); equal('a chain of waits goes through owner after owner', [[1, 2], [2, 3], [3, 1]], win.eval('waitChain(run0(), 1, run0().last[10])').map(l => [l.from, l.to]))
  equal('a tab for each run', ['✕ seed 16', '✓ nearest run that ends well', '⇅ What differs'], [...doc.querySelectorAll('#runs button')].map(b => b.textContent))
  doc.querySelectorAll('#runs button')[1].click(); equal('the other run', 23, win.luasync.stepCount)
  doc.getElementById('compare').click()
  check('What differs: the reversed pair in words', /2 P2 takes Lock 'B', then 1 P1 waits for Lock 'B'.*1 P1 takes Lock 'B', then 2 P2 takes Lock 'B'/s.test(p.text('state')), p.text('state'))
  equal('differing words of the schedules', '1x1 2x0 0 3 2 1 .', [...doc.querySelector('.words').querySelectorAll('.differs')].map(w => w.textContent).join(' '))
  win.luasync.step(10); equal('the same operation in the other run', [10, 4], win.eval('view.play'))
  p.press('ArrowLeft'); equal('both playheads move', 9, win.eval('view.play')[0])
  doc.getElementById('compare').click(); equal('and back to one run', 1, win.eval('view.runs.length'))
  gone(p)
}
async function lostUpdate() {
  const p = await open('lost_update')
  p.win.luasync.step(11)
  check('a lost update: the value that was overwritten is struck through', p.doc.querySelector('[data-part="objects"] s')?.textContent === '3', p.text('objects'))
  check('and the step says so', /overwrites count = 3, written by Thread-1 since it read/.test(p.text('state')), p.text('state'))
  equal('only one of them', [10], p.win.eval('run0().acc[0].filter(a => a.lostBy >= 0).map(a => a.s)'))
  gone(p)
}
async function oddities() {
  let p = await open('every object')
  for (let s = 0; s <= p.win.luasync.stepCount; s++) { p.win.luasync.step(s); p.win.eval('paint()') }
  check('every kind of object has its words', ["Barrier 'B'", "RWLock 'rw'", "Atomic 'hits'", "Pool 'pool'", 'Future-1', "Condition 'C'"].every(n => p.text('objects').includes(n)), p.text('objects'))
  check('an uncaught error is red', p.doc.querySelector('.printed.error')?.textContent.includes('oops'))
  gone(p)
  p = await open('nasty')
  check('nothing closes the script or becomes markup', !p.doc.querySelector('b[data-x], main b b') && p.text('head').includes('<' + '/script><b data-x>'), p.text('head'))
  for (let s = 0; s <= p.win.luasync.stepCount; s++) { p.win.luasync.step(s); p.win.eval('paint()') }
  p.doc.getElementById('showMenu').click(); p.press('t')
  check('names keep to their line', !/[\n\t\x01]/.test(p.doc.querySelector('[data-thread]:nth-child(2)').dataset.thread))
  check('newlines of what was printed stay', p.text('output').includes('\n'))
  gone(p)
  p = await open('empty')
  check('no events: the page says so', /nothing was recorded/.test(p.text('head')), p.text('head'))
  for (const key of ['ArrowRight', 'ArrowLeft', 'End', ']', '[', '+', '-', '0', 'x', 't']) p.press(key)
  equal('no events: no steps', [0, 0], [p.win.luasync.stepCount, p.win.luasync.state().step])
  gone(p)
  p = await open('1,000 threads')
  equal('1,000 threads: a name for each lane', 1000, p.doc.querySelectorAll('[data-thread]').length)
  const box = p.doc.querySelector('[data-part="lanes"]')
  check('1,000 threads: the lanes scroll', box.scrollHeight > 20 * box.clientHeight, box.scrollHeight)
  for (let i = 0; i < 40; i++) p.press('ArrowDown')
  check('1,000 threads: choosing scrolls to the lane', box.scrollTop > 0, box.scrollTop)
  p.win.luasync.step(1500); p.win.eval('paint()')
  check('1,000 threads: the panel stays short', p.doc.querySelectorAll('[data-part="state"] .row').length < 30)
  gone(p)
  p = await open('two files')
  equal('several files are tabs', ['a.lua', 'b.lua'], [...p.doc.querySelectorAll('#files button')].map(b => b.textContent))
  p.win.luasync.step(2); equal('the source follows the acting thread', 'true', p.doc.querySelectorAll('#files button')[1].getAttribute('aria-pressed'))
  gone(p)
  p = await open('three runs')
  p.doc.getElementById('compare').click(); equal('of three runs two are chosen', 2, p.doc.querySelectorAll('#runs select').length)
  gone(p)
  p = await open('lost events')
  check('lost events are stated', /the first 500 events are lost/.test(p.text('head')), p.text('head'))
  p.win.luasync.step(0); check('what is not known is not recorded yet', /not recorded yet/.test(p.text('state')), p.text('state'))
  gone(p)
  for (const [name, words] of [['another version', 'version 9'], ['cut off', 'cut off'], ['no recording', 'no recording of luasync']]) {
    p = await open(name)
    check(name + ': the page says so', p.doc.querySelector('.message')?.textContent.includes(words), p.doc.body.textContent.slice(0, 200))
    gone(p)
  }
}

(async () => {
  for (const part of [parts, stepping, ownSteps, following, axes, zooming, panning, playhead, hovering, finding, showing, printing, deadlock, lostUpdate, oddities]) {
    try { await part() } catch (error) { check(part.name + ' goes through', false, error.stack) }
  }
  equal('no error in the console', [], window.ERRORS)
  const out = document.createElement('pre')
  out.id = 'results'
  out.textContent = JSON.stringify(results)
  document.body.append(out)
})()
