'use strict'
// What the recording says, as columns of numbers; derive.js goes through them.
//
// A *step* is what takes effect as one thing: an operation, a beginning wait, an output, an end, an error, a move of
// the clock. What it causes (wake-ups, hand-overs, turns) belongs to it. Steps count from 1; 0 is the beginning.

// Kinds of events and words of operations, as numbers of this page; a file's own numbers are translated by word.
const KINDS = ['op', 'wait', 'wake', 'moved', 'go', 'turn', 'yield', 'clock', 'out', 'end', 'err', 'handed']
const [OP, WAIT, WAKE, MOVED, GO, TURN, YIELD, CLOCK, OUT, END, ERR, HANDED] = KINDS.keys()
const OPS = []
const O = {}
for (const word of (
  'acquire try_acquire release wait reacquire notify set clear is_set wait_set down try_down up value put ' +
  'get try_put try_get task_done queue_join shutdown look read write update pairs start join interrupt end sleep ' +
  'clock print acquire_read try_read release_read acquire_write try_write release_write barrier_wait barrier_abort ' +
  'barrier_reset submit take run resolve cancel result scope_join select settle io timer pool_join'
).split(' '))
  opNumber(word)
function opNumber(word) {
  if (O[word] === undefined) {
    O[word] = OPS.length
    OPS.push(word)
  }
  return O[word]
}

// What a thread does.
const NONE = 0,
  RUNS = 1,
  READY = 2,
  WAITS = 3,
  SLEEPS = 4,
  ENDED = 5

// How objects are drawn and spoken of.
const FAMILIES = {
  Lock: 'lock',
  RLock: 'lock',
  RWLock: 'rwlock',
  Event: 'flag',
  Semaphore: 'count',
  BoundedSemaphore: 'count',
  Queue: 'queue',
  LifoQueue: 'queue',
  PriorityQueue: 'queue',
  SimpleQueue: 'queue',
  Pool: 'queue',
  Shared: 'cells',
  Atomic: 'cells',
  Condition: 'crowd',
  Barrier: 'crowd',
  Scope: 'crowd',
  select: 'crowd',
  Future: 'future',
  Thread: 'thread',
  Timer: 'thread',
}

// A growing list of (step, event, value): the history of one lane. Sealed, it is looked up by binary search.
class Track {
  constructor() {
    this.s = []
    this.ev = []
    this.v = []
  }
  push(s, ev, v) {
    this.s.push(s)
    this.ev.push(ev)
    this.v.push(v)
  }
  seal() {
    this.s = Int32Array.from(this.s)
    this.ev = Int32Array.from(this.ev)
  }
  // the last entry at or before event e; -1: none
  at(e) {
    return upper(this.ev, e) - 1
  }
  value(e, none) {
    const i = this.at(e)
    return i < 0 ? none : this.v[i]
  }
}

// How many elements of the sorted list are <= x.
function upper(list, x) {
  let low = 0,
    high = list.length
  while (low < high) {
    const mid = (low + high) >> 1
    if (list[mid] <= x) low = mid + 1
    else high = mid
  }
  return low
}

// Control characters as pictures of themselves, so that no text breaks a line.
const visible = text =>
  String(text).replace(/[\u0000-\u001f\u007f]/g, c =>
    String.fromCharCode(c === '\x7f' ? 0x2421 : 0x2400 + c.charCodeAt(0))
  )

// A tag of a few letters for each thread: what stands in its badge.
function makeTags(threads) {
  const seen = new Set()
  return threads.map(({ name }) => {
    const numbered = /^Thread-(\d+)/.exec(name),
      digits = numbered || /(\d+)$/.exec(name),
      letters = [...(name || '?')]
    let tag =
      name === 'MainThread'
        ? 'M'
        : numbered
          ? numbered[1]
          : letters.length <= 2
            ? letters.join('')
            : digits && digits[1].length < 4
              ? letters[0] + digits[1]
              : letters.slice(0, 2).join('')
    for (let i = 2; seen.has(tag); i++) tag = letters[0] + i
    seen.add(tag)
    return tag
  })
}

// Every event is a column of a typed array; `text` stays sparse.
function readColumns(R, run, data) {
  const E = run.events,
    n = (R.n = E.t.length)
  const kinds = data.kinds.map(word => KINDS.indexOf(word)),
    ops = data.ops.map(opNumber)
  R.t = new Float64Array(n)
  for (let i = 0, t = 0; i < n; i++) R.t[i] = t += E.t[i]
  R.th = Int16Array.from(E.th)
  R.k = Uint8Array.from(E.k, k => kinds[k])
  R.op = Int16Array.from(E.op, op => (op < 0 ? -1 : ops[op]))
  R.ob = Int32Array.from(E.ob)
  R.at = Int32Array.from(E.at)
  R.a = Float64Array.from(E.a)
  R.b = Float64Array.from(E.b)
  R.text = { ...E.text }
  for (const i in R.text) if (R.k[i] !== OUT && R.k[i] !== ERR) R.text[i] = visible(R.text[i])
  R.step = new Int32Array(n)
}

// Whether event i begins a step of its own. A walk through a table on one line is one step, and the `select` that
// follows what it took is in that one's step.
class StepCounter {
  constructor(R) {
    this.R = R
    this.kind = -1
    this.walking = false
  }
  begins(i) {
    const { R } = this,
      k = R.k[i],
      op = R.op[i]
    if (k === TURN || k === YIELD) {
      this.kind = -1
      return false
    }
    if (k !== OP && k !== WAIT && k !== OUT && k !== END && k !== CLOCK && k !== ERR) return false
    const near = k === OP && this.kind === OP && this.th === R.th[i]
    const walks =
      k === OP &&
      (op === O.read || op === O.pairs || op === O.look || op === O.write) &&
      R.objects[R.ob[i]]?.kind === 'Shared'
    const same =
      near &&
      ((op === O.select && R.a[i] > 0) || (walks && this.ob === R.ob[i] && this.at === R.at[i] && (this.walking || op === O.pairs)))
    this.walking = walks && (same || op === O.pairs)
    this.kind = k
    this.th = R.th[i]
    this.ob = R.ob[i]
    this.at = R.at[i]
    return !same
  }
}
