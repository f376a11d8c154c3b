// Sentences, in the words of the reports: takes, waits for, held by, wakes, is handed, the clock goes on.

const escapeHtml = text =>
  visible(text).replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])
// How a run ended: the word for it, and whether that is something wrong.
const verdictOf = run => run.verdict || { kind: 'done' }
function isWrong(run) {
  const { kind, exit } = verdictOf(run)
  return kind !== 'done' && kind !== 'unfinished' && !(kind === 'exit' && !exit)
}
const verdictMark = run => (isWrong(run) ? '✕ ' : '✓ ')
const verdictWords = (run, well) => (verdictOf(run).kind === 'done' ? well : verdictOf(run).kind)

const plural = (n, word) => n.toLocaleString('en') + ' ' + word + (n === 1 ? '' : 's')

// "Thread-1 (work)" -> "Thread-1"; a name that is no word: "thread '0'".
const shortName = name => name.replace(/^(Thread-\d+) \(.*\)$/, '$1')
function threadName(R, x) {
  if (x < 0 || !R.threads[x]) return x < 0 ? 'the clock' : 'a thread'
  const { name } = R.threads[x]
  return /^[A-Za-z_]/.test(name) ? shortName(name) : "thread '" + name + "'"
}
// Lock 'A', or Lock-1 where nobody gave it a name.
function objectName(R, o) {
  if (o < 0 || !R.objects[o]) return ''
  const { kind, name } = R.objects[o]
  return name.startsWith(kind + '-') ? name : kind + " '" + name + "'"
}

function seconds(ns) {
  const s = ns / 1e9,
    trim = text => text.replace(/\.?0+$/, '')
  if (s === 0) return '0 s'
  if (s >= 100) return s.toFixed(1) + ' s'
  if (s >= 1) return trim(s.toFixed(3)) + ' s'
  if (s >= 1e-3) return trim((s * 1e3).toFixed(3)) + ' ms'
  return (s * 1e6).toFixed(1).replace(/\.0$/, '') + ' µs'
}
// A time in full, with three digits, in real time six.
const clockText = (R, ns) => (ns / 1e9).toFixed(R.simulated ? 3 : 6) + ' s'

function placeText(R, p) {
  const place = R.places[p]
  if (!place || place[0] < 0) return ''
  return place[1] === 0 ? 'the end of the script' : visible(R.files[place[0]]?.name ?? '?') + ':' + place[1]
}
const lineText = (R, p) => placeText(R, p).replace(/^.*:(\d+)$/, 'line $1')

// Who has the lock that a wait is for, at event e; -1: nobody, or it is none.
function ownerAt(R, o, e) {
  const family = R.objects[o]?.family
  if (family === 'lock') return R.hist[o].value(e, -1)
  if (family === 'rwlock') {
    const v = R.hist[o].value(e, 0)
    return v < 0 ? -1 - v : -1
  }
  if (family === 'future') {
    const v = R.hist[o].value(e, -1)
    return v >= 0 ? v : -1
  }
  return -1
}

// A wait, event i, as it is at event e: a sentence, and the words that fit onto a bar.
function waitWords(R, i, e) {
  const o = R.ob[i],
    p = R.op[i],
    name = objectName(R, o),
    own = R.objects[o]?.name ?? ''
  const both = (long, short = name) => ({ long, short })
  switch (p) {
    case O.sleep:
      return R.a[i] < 0
        ? both('sleeps for ever', 'sleep for ever')
        : both('sleeps until ' + clockText(R, R.a[i]), 'sleep ' + seconds(R.a[i] - R.t[i]))
    case O.timer:
      return both('waits until ' + clockText(R, R.a[i]), 'timer ' + seconds(R.a[i] - R.t[i]))
    case O.pool_join:
      return both('waits for the workers of ' + name, 'workers of ' + own)
    case O.join:
      return both('waits for the end of ' + threadName(R, R.objects[o]?.thread ?? -1), 'end of ' + shortName(own))
    case O.wait:
      return both('waits to be notified on ' + name)
    case O.wait_set:
      return both('waits for ' + name + ' to be set')
    case O.down:
      return both('waits for a unit of ' + name)
    case O.get:
      return both('waits for an item of ' + name, 'item of ' + own)
    case O.put:
      return both('waits for room in ' + name, 'room in ' + own)
    case O.take:
      return both('waits for a task of ' + name, 'task of ' + own)
    case O.submit:
      return both('waits for room in ' + name, 'room in ' + own)
    case O.queue_join:
      return both('waits until all of ' + name + ' is done')
    case O.barrier_wait:
      return both('waits at ' + name + (R.objects[o]?.max ? ' for ' + plural(R.objects[o].max, 'thread') : ''))
    case O.scope_join:
      return both('waits for the threads of ' + name, 'threads of ' + own)
    case O.select:
      return both(
        'waits for one of ' + ((R.objects[o]?.of || []).map(q => objectName(R, q)).join(', ') || 'several'),
        'one of several'
      )
    case O.settle:
      return both('waits for the others to settle', 'settle')
    case O.io:
      return both('waits for the system', 'system')
  }
  const owner = ownerAt(R, o, e ?? i),
    held = owner >= 0 ? threadName(R, owner) : ''
  if (p === O.result) return both('waits for the result of ' + name + (held ? ', run by ' + held : ''), name)
  const how = p === O.acquire_read ? ' to read' : p === O.acquire_write ? ' to write' : ''
  return both(
    'waits for ' + (name || OPS[p] || 'something') + how + (held ? ', held by ' + held : ''),
    name + (held ? ' · ' + shortName(held) + ' has it' : '')
  )
}

const spoken = p =>
  ({
    wait_set: 'wait',
    queue_join: 'join',
    down: 'acquire',
    up: 'release',
    barrier_wait: 'wait',
    acquire_read: 'read',
    acquire_write: 'write',
    scope_join: 'join',
  })[OPS[p]] || (OPS[p] || '?').replace('_', ' ')
// The call that a wait is, in the words of its cell.
const callWords = (R, i) =>
  R.op[i] === O.sleep
    ? 'sleep'
    : spoken(R.op[i]) + (R.ob[i] >= 0 && R.op[i] !== O.wait_set ? ' ' + shortName(R.objects[R.ob[i]].name) : '')

// What each operation is called: what it does, and the two or three words that fit into a cell. w: the object's name
// and, alone, its `own` name (`short`, a thread's); the text; whether it went `ok`, the number a; the state after.
const OP_WORDS = {
  start: w => ['starts ' + w.thread, 'start ' + w.short],
  join: w => [w.ok ? 'has joined ' + w.thread : 'stops waiting for ' + w.thread + ': timeout', 'join ' + w.short],
  interrupt: w => ['interrupts ' + w.thread, 'interrupt ' + w.short],
  acquire: w => (w.ok ? ['takes ' + w.name, 'acquire ' + w.own] : ['gives up on ' + w.name + ': timeout', 'timeout']),
  down: w =>
    w.ok ? ['takes a unit of ' + w.name, 'acquire ' + w.own] : ['gives up on ' + w.name + ': timeout', 'timeout'],
  acquire_read: w =>
    w.ok ? ['takes ' + w.name + ' to read', 'read ' + w.own] : ['gives up on ' + w.name + ': timeout', 'timeout'],
  acquire_write: w =>
    w.ok ? ['takes ' + w.name + ' to write', 'write ' + w.own] : ['gives up on ' + w.name + ': timeout', 'timeout'],
  try_acquire: w => ['tries ' + w.name + ': ' + (w.ok ? 'taken' : 'not free'), 'try ' + w.own + w.mark],
  reacquire: w => ['takes ' + w.name + ' again', 'take ' + w.own + ' again'],
  release: w => [w.text === 'wait' ? 'gives ' + w.name + ' back to wait' : 'releases ' + w.name, 'release ' + w.own],
  release_read: w => ['releases ' + w.name + ', read', 'release ' + w.own],
  release_write: w => ['releases ' + w.name + ', written', 'release ' + w.own],
  up: w => ['gives ' + (w.ok > 1 ? w.ok + ' units' : 'a unit') + ' back to ' + w.name, 'release ' + w.own],
  value: w => ['asks the value of ' + w.name + ': ' + (w.text ?? w.ok), 'value'],
  look: w => ['looks at ' + w.name + (w.text != null ? ': ' + w.text : ''), 'look ' + w.own],
  set: w => ['sets ' + w.name, 'set ' + w.own],
  clear: w => ['clears ' + w.name, 'clear ' + w.own],
  is_set: w => ['looks at ' + w.name + ': ' + (w.state ? 'set' : 'not set'), w.state ? 'is set' : 'is not set'],
  wait_set: w => (w.ok ? ['goes on: ' + w.name + ' is set', 'wait ✓'] : ['goes on: timeout', 'timeout']),
  wait: w => (w.ok ? ['has been notified on ' + w.name, 'wait ✓'] : ['goes on: timeout', 'timeout']),
  notify: w => [
    'notifies ' + (w.ok < 0 ? 'all' : w.ok === 1 ? 'one' : w.ok) + ' on ' + w.name,
    'notify' + (w.ok < 0 ? ' all' : ''),
  ],
  put: w =>
    w.ok > 0 ? ['puts ' + w.text + ' into ' + w.name, 'put ' + w.text] : ['cannot put into ' + w.name, 'put ✗'],
  get: w =>
    w.ok > 0
      ? ['gets ' + (w.text ?? 'item ' + w.ok) + ' from ' + w.name, 'get ' + (w.text ?? w.ok)]
      : ['gets nothing from ' + w.name, 'get ✗'],
  submit: w => ['submits ' + (w.text ?? 'a task') + ' to ' + w.name, 'submit ' + (w.text ?? '')],
  take: w => ['begins ' + (w.text ?? 'task ' + w.ok) + ' of ' + w.name, 'take ' + (w.text ?? w.ok)],
  shutdown: w => ['shuts ' + w.name + ' down' + (w.ok > 0 ? ', ' + plural(w.ok, 'item') + ' dropped' : ''), 'shutdown'],
  task_done: w => ['says task_done on ' + w.name, 'task_done'],
  queue_join: w => [w.ok ? 'goes on: all of ' + w.name + ' is done' : 'goes on: timeout', 'join' + w.mark],
  read: w => ['reads ' + w.text + ' in ' + w.name, 'read ' + w.text],
  write: w => ['writes ' + w.text + ' in ' + w.name, 'write ' + w.text],
  update: w => [
    w.ok || w.kind !== 'Atomic' ? 'updates ' + w.name + ' to ' + w.text : 'does not change ' + w.name + ': ' + w.text,
    'update ' + w.text,
  ],
  pairs: w => ['walks through ' + w.name, 'walk'],
  barrier_wait: w =>
    w.ok > 0
      ? ['passes ' + w.name + ' as number ' + w.ok, 'wait ✓ ' + w.ok]
      : ['finds ' + w.name + ' broken' + (w.ok < 0 ? ': timeout' : ''), 'broken'],
  barrier_abort: w => ['breaks ' + w.name, 'abort'],
  barrier_reset: w => ['resets ' + w.name, 'reset'],
  run: w => ['runs ' + w.name, 'run'],
  resolve: w => [w.ok ? 'finishes ' + w.name : 'fails in ' + w.name, w.ok ? 'finish' : 'error'],
  cancel: w => [(w.ok ? 'cancels ' : 'cannot cancel ') + w.name, 'cancel' + w.mark],
  result: w => [
    w.ok > 0 ? 'has the result of ' + w.name : 'no result of ' + w.name + (w.ok < 0 ? ': cancelled' : ': timeout'),
    'result' + (w.ok > 0 ? ' ✓' : ' ✗'),
  ],
  scope_join: w => [w.ok ? 'goes on: all threads of ' + w.name + ' have ended' : 'goes on: timeout', 'join' + w.mark],
  select: w => [w.ok > 0 ? 'selects number ' + w.ok : 'selects nothing: timeout', 'select ' + (w.ok > 0 ? w.ok : '✗')],
}
OP_WORDS.try_down = OP_WORDS.try_acquire
OP_WORDS.try_read = OP_WORDS.try_acquire
OP_WORDS.try_write = OP_WORDS.try_acquire
OP_WORDS.try_put = OP_WORDS.put
OP_WORDS.try_get = OP_WORDS.get

// An operation, event i: [what it does, the words of its cell].
function opWords(R, i) {
  const o = R.ob[i],
    word = OPS[R.op[i]] || '?',
    object = R.objects[o],
    ok = R.a[i]
  const own = object?.name ?? '',
    name = objectName(R, o)
  const words = OP_WORDS[word]
  if (!words) return [word.replace('_', ' ') + (name ? ' ' + name : ''), word.replace('_', ' ')]
  const thread = threadName(R, object?.thread ?? -1),
    mark = ok ? ' ✓' : ' ✗'
  return words({
    name,
    own,
    short: shortName(own),
    thread,
    text: R.text[i],
    ok,
    mark,
    state: R.b[i],
    kind: object?.kind,
  })
}

function eventWords(R, i) {
  switch (R.k[i]) {
    case OP:
      return opWords(R, i)[0]
    case WAIT:
      return waitWords(R, i).long
    case OUT:
      return 'prints "' + visible((R.text[i] || '').slice(0, 60)) + '"'
    case END:
      return R.a[i] ? 'ends by an error' : 'ends'
    case ERR:
      return 'fails: ' + visible(R.text[i] ?? '')
    case CLOCK:
      return 'The clock goes on to ' + clockText(R, R.t[i])
  }
  return ''
}

// What a step brings about beside its own event.
function stepMore(R, s) {
  const out = [],
    x = R.th[R.main[s]],
    lost = R.overwritten[R.main[s]]
  if (lost) out.push('overwrites ' + lost.text + ', written by ' + threadName(R, lost.th) + ' since it read')
  for (let i = R.main[s] + 1; i <= R.last[s] && i < R.n; i++) {
    const other = R.th[i] >= 0 && R.th[i] !== x ? threadName(R, R.th[i]) + ' ' : ''
    if (R.k[i] === WAKE) out.push(other + 'wakes ' + threadName(R, R.a[i]))
    else if (R.k[i] === HANDED) out.push(handedWords(R, i) + ' ' + threadName(R, R.th[i]))
    else if (R.k[i] === MOVED) out.push(threadName(R, R.th[i]) + ' now waits for ' + objectName(R, R.ob[i]))
    else if (R.k[i] === OP && R.th[i] === x && (R.op[i] === O.write || R.op[i] === O.select))
      out.push(R.op[i] === O.write ? R.text[i] : opWords(R, i)[0])
  }
  return out
}
function handedWords(R, i) {
  const p = R.op[i]
  if (p === O.get || p === O.take) return 'hands ' + (R.text[i] ?? 'an item') + ' to'
  if (p === O.put || p === O.submit) return 'makes room for'
  return p === O.down ? 'hands a unit to' : 'hands ' + objectName(R, R.ob[i]) + ' to'
}

function stepText(R, s) {
  if (s === 0) return R.lost ? 'The recording begins.' : 'The run begins.'
  const x = R.th[R.main[s]]
  return (x >= 0 ? threadName(R, x) + ' ' : '') + eventWords(R, R.main[s])
}

// What thread x does at event e: { state, text, ev: the event it began with, since }. The last e is remembered.
function doing(R, x, e) {
  if (R.doneAt !== e) {
    R.doneAt = e
    R.done = []
  }
  return (R.done[x] ||= doingNow(R, x, e))
}
function doingNow(R, x, e) {
  const track = R.seg[x],
    j = track.at(e)
  if (j < 0) return { state: NONE, text: R.lost ? 'not recorded yet' : 'not started yet', ev: -1 }
  const state = track.v[j],
    i = track.ev[j]
  if (state === RUNS) return { state, text: 'runs', ev: i }
  if (state === ENDED) return { state, text: R.a[i] ? 'has ended by an error' : 'has ended', ev: i }
  if (state === READY) return { state, text: readyText(R, i), ev: i }
  return { state, text: waitWords(R, i, e).long, ev: i, since: R.t[i] }
}
function readyText(R, i) {
  if (i >= 0 && R.k[i] === YIELD) {
    const p = R.op[i],
      own = R.objects[R.ob[i]]?.name ?? ''
    if (p < 0) return 'ready to run'
    return (
      'ready, about to ' + (p === O.end ? 'end' : p === O.print ? 'print' : (spoken(p) + ' ' + shortName(own)).trim())
    )
  }
  if (i >= 0 && R.k[i] === WAKE) return 'ready, woken by ' + threadName(R, R.th[i])
  return i >= 0 && R.k[i] === CLOCK ? 'ready, its time has come' : 'ready to run'
}

// What thread x holds at event e.
function holdsAt(R, x, e) {
  const list = R.holds[x],
    out = []
  for (let i = upper(R.holdEvents[x], e) - 1, n = 0; i >= 0 && n < 200; i--, n++)
    if (list[i].open || list[i].e1 > e) out.unshift(list[i])
  return out
}

// Whom thread x waits for at event e, and whom that one, and so on: [{ from, to, o }]; to -1: nobody in particular.
function waitChain(R, x, e) {
  const out = []
  for (let from = x; out.length < 64;) {
    const d = doing(R, from, e)
    if (d.state !== WAITS || d.ev < 0) break
    const o = R.ob[d.ev],
      to = R.objects[o]?.thread ?? ownerAt(R, o, e)
    out.push({ from, to, o })
    if (to < 0 || out.some(link => link.from === to)) break
    from = to
  }
  return out
}
