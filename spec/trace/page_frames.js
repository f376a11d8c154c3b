// Opens other recordings beside the one of page_driver.js, each in a frame of its own, and says how it went.

async function open(name) {
  const frame = document.createElement('iframe')
  frame.style.cssText = 'width:1400px;height:900px;position:absolute;left:0;top:2000px'
  frame.srcdoc = CASES[name]
  document.body.append(frame)
  await new Promise(done => {
    frame.onload = done
  })
  const win = frame.contentWindow
  equal(name + ': drawn', '1', win.document.documentElement.dataset.ready)
  return {
    win,
    doc: win.document,
    frame,
    text: part => win.document.querySelector('[data-part="' + part + '"]')?.textContent ?? '',
    press: (key, more) =>
      win.document.body.dispatchEvent(
        new win.KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more })
      ),
  }
}
const gone = page => page.frame.remove()

async function deadlock() {
  const p = await open('philosophers'),
    { win, doc } = p,
    step = () => win.luasync.state().step
  equal('a failing run opens at its end', 10, step())
  check(
    'its sentence is in a red box',
    !doc.getElementById('verdict').hidden &&
      /Deadlock\..*P1 waits for Lock 'B' held by P2/s.test(doc.getElementById('verdict').textContent)
  )
  equal(
    'state(): a deadlock',
    [
      ['P1', 'waiting', "Lock 'B'", ["Lock 'A'"], 8],
      ['P2', 'waiting', "Lock 'C'", ["Lock 'B'"], 8],
      ['P3', 'waiting', "Lock 'A'", ["Lock 'C'"], 8],
    ],
    win.luasync
      .state()
      .threads.slice(1)
      .map(t => [t.name, t.state, t.waitsFor, t.holds, t.line])
  )
  const red = () => doc.querySelectorAll('.graph path[stroke="var(--red)"]').length
  equal('the wait-for graph is closed', 6, red())
  p.press('ArrowLeft')
  equal('one step back an edge goes grey', 5, red())
  win.luasync.step(0)
  equal('at the beginning there is none', 0, red())
  doc.getElementById('goToEnd').click()
  equal('Go there', 10, step())
  win.eval('choose(1)')
  equal(
    'a chain of waits goes through owner after owner',
    [
      [1, 2],
      [2, 3],
      [3, 1],
    ],
    win.eval('waitChain(run0(), 1, run0().last[10])').map(l => [l.from, l.to])
  )
  equal(
    'a tab for each run',
    ['✕ seed 16', '✓ nearest run that ends well', '⇅ What differs'],
    [...doc.querySelectorAll('#runs button')].map(b => b.textContent)
  )
  doc.querySelectorAll('#runs button')[1].click()
  equal('the other run', 23, win.luasync.stepCount)
  doc.getElementById('compare').click()
  check(
    'What differs: the reversed pair in words',
    /2 P2 takes Lock 'B', then 1 P1 waits for Lock 'B'.*1 P1 takes Lock 'B', then 2 P2 takes Lock 'B'/s.test(
      p.text('state')
    ),
    p.text('state')
  )
  equal(
    'differing words of the schedules',
    '1x1 2x0 0 3 2 1 .',
    [...doc.querySelector('.words').querySelectorAll('.differs')].map(w => w.textContent).join(' ')
  )
  win.luasync.step(10)
  equal('the same operation in the other run', [10, 4], win.eval('view.play'))
  p.press('ArrowLeft')
  equal('both playheads move', 9, win.eval('view.play')[0])
  doc.getElementById('compare').click()
  equal('and back to one run', 1, win.eval('view.runs.length'))
  gone(p)
}
async function lostUpdate() {
  const p = await open('lost_update')
  p.win.luasync.step(11)
  check(
    'a lost update: the value that was overwritten is struck through',
    p.doc.querySelector('[data-part="objects"] s')?.textContent === '3',
    p.text('objects')
  )
  check(
    'and the step says so',
    /overwrites count = 3, written by Thread-1 since it read/.test(p.text('state')),
    p.text('state')
  )
  equal('only one of them', [10], p.win.eval('run0().acc[0].filter(a => a.lostBy >= 0).map(a => a.s)'))
  gone(p)
}
async function oddities() {
  let p = await open('every object')
  for (let s = 0; s <= p.win.luasync.stepCount; s++) {
    p.win.luasync.step(s)
    p.win.eval('paint()')
  }
  check(
    'every kind of object has its words',
    ["Barrier 'B'", "RWLock 'rw'", "Atomic 'hits'", "Pool 'pool'", 'Future-1', "Condition 'C'"].every(n =>
      p.text('objects').includes(n)
    ),
    p.text('objects')
  )
  check('an uncaught error is red', p.doc.querySelector('.printed.error')?.textContent.includes('oops'))
  gone(p)
  p = await open('nasty')
  equal(
    'names are told as they are, to tools',
    [p.win.luasync.runs[0].threads[1].name, p.win.luasync.runs[0].threads[1].name],
    [p.win.luasync.state().threads[1].name, p.doc.querySelectorAll('[data-thread]')[1].dataset.thread]
  )
  check(
    'nothing closes the script or becomes markup',
    !p.doc.querySelector('b[data-x], main b b') && p.text('head').includes('<' + '/script><b data-x>'),
    p.text('head')
  )
  for (let s = 0; s <= p.win.luasync.stepCount; s++) {
    p.win.luasync.step(s)
    p.win.eval('paint()')
  }
  p.doc.getElementById('showMenu').click()
  p.press('t')
  check(
    'names keep to their line',
    !/[\n\t\x01]/.test(p.doc.querySelector('[data-thread]:nth-child(2)').textContent)
  )
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
  p.win.luasync.step(1500)
  p.win.eval('paint()')
  check('1,000 threads: the panel stays short', p.doc.querySelectorAll('[data-part="state"] .row').length < 30)
  gone(p)
  p = await open('two files')
  equal(
    'several files are tabs',
    ['a.lua', 'b.lua'],
    [...p.doc.querySelectorAll('#files button')].map(b => b.textContent)
  )
  p.win.luasync.step(2)
  equal(
    'the source follows the acting thread',
    'true',
    p.doc.querySelectorAll('#files button')[1].getAttribute('aria-pressed')
  )
  gone(p)
  p = await open('three runs')
  p.doc.getElementById('compare').click()
  equal('of three runs two are chosen', 2, p.doc.querySelectorAll('#runs select').length)
  gone(p)
  p = await open('lost events')
  check('lost events are stated', /the first 500 events are lost/.test(p.text('head')), p.text('head'))
  p.win.luasync.step(0)
  check('what is not known is not recorded yet', /not recorded yet/.test(p.text('state')), p.text('state'))
  gone(p)
  for (const [name, words] of [
    ['another version', 'version 9'],
    ['cut off', 'cut off'],
    ['no recording', 'no recording of luasync'],
    ['damaged', 'is damaged'],
  ]) {
    p = await open(name)
    check(
      name + ': the page says so',
      p.doc.querySelector('.message')?.textContent.includes(words),
      p.doc.body.textContent.slice(0, 200)
    )
    gone(p)
  }
}

;(async () => {
  for (const part of [
    parts,
    stepping,
    ownSteps,
    following,
    axes,
    zooming,
    panning,
    playhead,
    hovering,
    finding,
    showing,
    printing,
    deadlock,
    lostUpdate,
    oddities,
  ]) {
    try {
      await part()
    } catch (error) {
      check(part.name + ' goes through', false, error.stack)
    }
  }
  equal('no error in the console', [], window.ERRORS)
  const out = document.createElement('pre')
  out.id = 'results'
  out.textContent = JSON.stringify(results)
  document.body.append(out)
})()
