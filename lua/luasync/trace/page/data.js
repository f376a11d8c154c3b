'use strict'
// What the recording says: one pass over the events of a run makes everything the page draws.
//
// A *step* is what takes effect as one thing: an operation, a beginning wait, an output, an end, an error, a move of
// the clock. What it causes (wake-ups, hand-overs, turns) belongs to it. Steps count from 1; 0 is the beginning.

// Kinds of events and words of operations, as numbers of this page; a file's own numbers are translated by word.
const KINDS = ['op', 'wait', 'wake', 'moved', 'go', 'turn', 'yield', 'clock', 'out', 'end', 'err', 'handed']
const [OP, WAIT, WAKE, MOVED, GO, TURN, YIELD, CLOCK, OUT, END, ERR, HANDED] = KINDS.keys()
const OPS = []
const O = {}
for (const word of ('acquire try_acquire release wait reacquire notify set clear is_set wait_set down try_down up value put ' +
  'get try_put try_get task_done queue_join shutdown look read write update pairs start join interrupt end sleep clock ' +
  'print acquire_read try_read release_read acquire_write try_write release_write barrier_wait barrier_abort ' +
  'barrier_reset submit take run resolve cancel result scope_join select settle io').split(' ')) opNumber(word)
function opNumber(word) {
  if (O[word] === undefined) { O[word] = OPS.length; OPS.push(word) }
  return O[word]
}

// What a thread does.
const NONE = 0, RUNS = 1, READY = 2, WAITS = 3, SLEEPS = 4, ENDED = 5

// How objects are drawn and spoken of.
const FAMILIES = {
  Lock: 'lock', RLock: 'lock', RWLock: 'rwlock', Event: 'flag', Semaphore: 'count', BoundedSemaphore: 'count', Queue: 'queue',
  LifoQueue: 'queue', PriorityQueue: 'queue', SimpleQueue: 'queue', Pool: 'queue', Shared: 'cells', Atomic: 'cells',
  Condition: 'crowd', Barrier: 'crowd', Scope: 'crowd', select: 'crowd', Future: 'future', Thread: 'thread', Timer: 'thread',
}

// A growing list of (step, event, value): the history of one lane. Sealed, it is looked up by binary search.
class Track {
  constructor() { this.s = []; this.ev = []; this.v = [] }
  push(s, ev, v) { this.s.push(s); this.ev.push(ev); this.v.push(v) }
  seal() { this.s = Int32Array.from(this.s); this.ev = Int32Array.from(this.ev) }
  // the last entry at or before event e; -1: none
  at(e) { return upper(this.ev, e) - 1 }
  value(e, none) { const i = this.at(e); return i < 0 ? none : this.v[i] }
}

// How many elements of the sorted list are <= x.
function upper(list, x) {
  let low = 0, high = list.length
  while (low < high) { const mid = (low + high) >> 1; if (list[mid] <= x) low = mid + 1; else high = mid }
  return low
}

// Control characters as pictures of themselves, so that no text breaks a line.
const visible = text => String(text).replace(/[\u0000-\u001f\u007f]/g, c => String.fromCharCode(c === '\x7f' ? 0x2421 : 0x2400 + c.charCodeAt(0)))

// A tag of one to three letters for each thread: what stands in its badge.
function makeTags(threads) {
  const seen = new Set()
  return threads.map(({ name }) => {
    const numbered = /^Thread-(\d+)/.exec(name), digits = numbered || /(\d+)$/.exec(name), letters = [...(name || '?')]
    let tag = name === 'MainThread' ? 'M' : numbered ? numbered[1] : letters.length <= 2 ? letters.join('')
      : digits && digits[1].length < 3 ? letters[0] + digits[1] : letters.slice(0, 2).join('')
    for (let i = 2; seen.has(tag); i++) tag = letters[0] + i
    seen.add(tag)
    return tag
  })
}

// Every event is a column of a typed array; `text` stays sparse.
function readColumns(R, run, data) {
  const E = run.events, n = R.n = E.t.length
  const kinds = data.kinds.map(word => KINDS.indexOf(word)), ops = data.ops.map(opNumber)
  R.t = new Float64Array(n)
  for (let i = 0, t = 0; i < n; i++) R.t[i] = t += E.t[i]
  R.th = Int16Array.from(E.th)
  R.k = Uint8Array.from(E.k, k => kinds[k])
  R.op = Int16Array.from(E.op, op => op < 0 ? -1 : ops[op])
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
  constructor(R) { this.R = R; this.kind = -1; this.walking = false }
  begins(i) {
    const { R } = this, k = R.k[i], op = R.op[i]
    if (k === TURN || k === YIELD) { this.kind = -1; return false }
    if (k !== OP && k !== WAIT && k !== OUT && k !== END && k !== CLOCK && k !== ERR) return false
    const near = k === OP && this.kind === OP && this.th === R.th[i]
    const walks = k === OP && (op === O.read || op === O.pairs || op === O.look || op === O.write) && R.objects[R.ob[i]]?.kind === 'Shared'
    const same = near && (op === O.select ||
      (walks && this.ob === R.ob[i] && this.at === R.at[i] && (this.walking || op === O.pairs)))
    this.walking = walks && (same || op === O.pairs)
    this.kind = k; this.th = R.th[i]; this.ob = R.ob[i]; this.at = R.at[i]
    return !same
  }
}

// Everything the page shows about one run.
function derive(run, data) {
  const R = { run, data, files: data.files, places: run.places, simulated: run.world !== 'real', lost: run.lost || 0 }
  R.threads = run.threads.map(t => ({ ...t, name: visible(t.name) }))
  R.objects = run.objects.map(o => ({ ...o, name: visible(o.name), family: FAMILIES[o.kind] || 'other' }))
  R.tag = makeTags(R.threads)
  readColumns(R, run, data)
  const { n, th, k, op, ob, a, t, step } = R
  // of each step: the event that makes it, and the last one that belongs to it
  const main = [-1], last = [-1]
  const tracks = list => list.map(() => new Track()), lists = list => list.map(() => [])
  // per thread: its states, lines, events and holds
  R.seg = tracks(R.threads); R.line = tracks(R.threads); R.events = lists(R.threads); R.holds = lists(R.threads)
  // per object: its states, how many wait for it, who waits from when to when, items, reads and writes
  R.hist = tracks(R.objects); R.inline = tracks(R.objects); R.waits = lists(R.objects); R.items = R.objects.map(() => null)
  R.acc = lists(R.objects); R.rowsIn = R.objects.map(() => 1)
  R.arrows = []; R.out = []
  // by event: the write that this one makes lost
  R.overwritten = {}
  const effects = new Effects(R)
  const state = new Uint8Array(R.threads.length), until = new Float64Array(R.threads.length).fill(-1)
  const failed = new Uint8Array(R.threads.length)
  const steps = new StepCounter(R)
  let s = 0
  const set = (x, v, i) => { state[x] = v; R.seg[x].push(s, i, v) }
  const leave = (x, i) => { effects.leaveLine(x, s, i); until[x] = -1 }
  if (R.threads.length && !R.lost) set(0, RUNS, -1)
  effects.begin()
  for (let i = 0; i < n; i++) {
    const x = th[i], kind = k[i], o = ob[i]
    if (steps.begins(i)) { s++; main.push(i); last.push(i) }
    step[i] = s
    if (kind !== TURN && kind !== YIELD && kind !== GO) last[s] = i
    if (x >= 0 && kind !== WAKE) {
      R.events[x].push(i)
      if (R.at[i] > 0) R.line[x].push(s, i, R.at[i])
      // whoever acts, runs: where its turn is not in the recording, or the world has none
      if (state[x] !== RUNS && (kind === OP || kind === OUT || kind === WAIT || kind === ERR) && (state[x] === NONE || !R.simulated)) set(x, RUNS, i)
    }
    switch (kind) {
      case TURN: set(x, RUNS, i); break
      case YIELD: set(x, READY, i); break
      case GO: leave(x, i); if (state[x] !== RUNS) set(x, RUNS, i); break
      case WAIT:
        set(x, op[i] === O.sleep ? SLEEPS : WAITS, i); until[x] = a[i]
        effects.standInLine(x, o, s, i); break
      case MOVED: leave(x, i); set(x, WAITS, i); effects.standInLine(x, o, s, i); break
      case WAKE: {
        const woken = a[i]
        if (!R.threads[woken]) break
        leave(woken, i)
        if (state[woken] === WAITS || state[woken] === SLEEPS) set(woken, READY, i)
        R.arrows.push({ s, ev: i, from: x, to: woken, kind: 'wake' }); break
      }
      case CLOCK:
        for (let w = 0; w < until.length; w++)
          if (until[w] >= 0 && until[w] <= t[i] && (state[w] === SLEEPS || state[w] === WAITS)) { leave(w, i); set(w, READY, i) }
        break
      case OUT: case ERR: if (kind === ERR && x >= 0) failed[x] = 1; R.out.push({ s, ev: i, th: x, text: R.text[i] ?? '', error: kind === ERR }); break
      case END:
        leave(x, i); set(x, ENDED, i)
        if (a[i] && R.text[i] && !failed[x]) R.out.push({ s, ev: i, th: x, text: R.text[i], error: true })
        break
      case HANDED: case OP:
        if (op[i] === O.start) { const w = R.objects[o]?.thread; if (w != null) { set(w, READY, i); R.arrows.push({ s, ev: i, from: x, to: w, kind: 'start' }) } }
        else effects.take(i, x, o, s)
    }
  }
  R.N = s; R.main = Int32Array.from(main); R.last = Int32Array.from(last)
  effects.finish(s)
  seal(R)
  return R
}

// The lists become arrays that are searched; sums and orders are made that drawing needs.
function seal(R) {
  R.st = new Float64Array(R.N + 1)
  for (let s = 1; s <= R.N; s++) R.st[s] = R.t[R.main[s]]
  R.T = Math.max(R.run.elapsed || 0, R.N ? R.st[R.N] : 0)
  for (const tracks of [R.seg, R.line, R.hist, R.inline]) for (const track of tracks) track.seal()
  R.events = R.events.map(list => Int32Array.from(list))
  R.eventSteps = R.events.map(list => list.map(i => R.step[i]))
  R.outSteps = Int32Array.from(R.out, o => o.s)
  R.arrows = sealArrows(R.arrows)
  R.arrowSteps = Int32Array.from(R.arrows, p => p.s)
  R.holdSteps = R.holds.map(list => Int32Array.from(list, h => h.s0))
  R.holdEvents = R.holds.map(list => Int32Array.from(list, h => h.e0))
  R.accSteps = R.acc.map(list => Int32Array.from(list, p => p.s))
  R.waitSteps = R.waits.map(list => Int32Array.from(list, p => p.s0))
  R.depth = R.holds.map(list => list.reduce((most, h) => Math.max(most, h.row + 1), 0))
  R.sums = R.seg.map(track => runningSums(R, track))
  R.peak = R.objects.map((o, i) => {
    let most = Number.isFinite(o.max) && o.max > 0 && o.max < 1e6 ? o.max : 1
    if (o.family === 'queue' || o.family === 'count') for (const v of R.hist[i].v) if (v > most) most = v
    return most
  })
  R.used = R.objects.map((o, i) => !o.internal && o.thread == null && o.family !== 'thread' &&
    (R.hist[i].s.length > (R.hist[i].ev[0] === -1 ? 1 : 0) || R.inline[i].s.length > 0 || R.acc[i].length > 0))
  const natural = new Intl.Collator('en', { numeric: true }), key = i => R.objects[i].kind + R.objects[i].name
  R.order = R.objects.map((_, i) => i).filter(i => R.used[i]).sort((p, q) => natural.compare(key(p), key(q)))
}

// An item that is handed over directly is drawn instead of the wake-up that goes with it.
function sealArrows(arrows) {
  const key = p => p.s + '/' + p.from + '/' + p.to
  const handed = new Set(arrows.filter(p => p.kind === 'item' && p.s === p.s1).map(key))
  return arrows.filter(p => p.kind !== 'wake' || !handed.has(key(p))).sort((p, q) => p.s - q.s)
}

// How long a thread has run before each of its states, in steps and in time: what a pixel that covers many shows.
function runningSums(R, track) {
  const n = track.s.length, steps = new Float64Array(n + 1), time = new Float64Array(n + 1)
  for (let j = 0; j < n; j++) {
    const from = track.s[j], to = j + 1 < n ? track.s[j + 1] : R.N, runs = track.v[j] === RUNS ? 1 : 0
    steps[j + 1] = steps[j] + runs * (to - from)
    time[j + 1] = time[j] + runs * (R.st[to] - R.st[from])
  }
  return { steps, time }
}
