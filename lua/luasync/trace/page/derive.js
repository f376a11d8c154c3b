// One pass over the events of a run makes everything the page draws.

// Everything the page shows about one run.
function derive(run, data) {
  const R = emptyRun(run, data)
  readColumns(R, run, data)
  const pass = new Pass(R)
  for (let i = 0; i < R.n; i++) pass.take(i)
  pass.finish()
  seal(R)
  return R
}

function emptyRun(run, data) {
  const R = { run, data, files: data.files, places: run.places, simulated: run.world !== 'real', lost: run.lost || 0 }
  R.threads = run.threads.map(t => ({ ...t, name: visible(t.name) }))
  R.objects = run.objects.map(o => ({ ...o, name: visible(o.name), family: FAMILIES[o.kind] || 'other' }))
  R.tag = makeTags(R.threads)
  const tracks = list => list.map(() => new Track())
  const lists = list => list.map(() => [])
  // per thread: its states, lines, events and holds
  R.seg = tracks(R.threads)
  R.line = tracks(R.threads)
  R.events = lists(R.threads)
  R.holds = lists(R.threads)
  // per object: its states, how many wait for it, who waits from when to when, items, reads and writes
  R.hist = tracks(R.objects)
  R.inline = tracks(R.objects)
  R.waits = lists(R.objects)
  R.items = R.objects.map(() => null)
  R.acc = lists(R.objects)
  R.rowsIn = R.objects.map(() => 1)
  R.arrows = []
  R.out = []
  // by event: the write that this one makes lost
  R.overwritten = {}
  return R
}

class Pass {
  constructor(R) {
    this.R = R
    this.s = 0
    // of each step: the event that makes it, and the last one that belongs to it
    this.main = [-1]
    this.last = [-1]
    this.steps = new StepCounter(R)
    this.effects = new Effects(R)
    // per thread: what it does, the deadline of its wait, and whether its error has been told
    this.state = new Uint8Array(R.threads.length)
    this.until = new Float64Array(R.threads.length).fill(-1)
    this.failed = new Uint8Array(R.threads.length)
    if (R.threads.length && !R.lost) this.set(0, RUNS, -1)
    this.effects.begin()
  }

  set(x, state, i) {
    this.state[x] = state
    this.R.seg[x].push(this.s, i, state)
  }

  leave(x, i) {
    this.effects.leaveLine(x, this.s, i)
    this.until[x] = -1
  }

  stand(x, state, i) {
    this.set(x, state, i)
    this.effects.standInLine(x, this.R.ob[i], this.s, i)
  }

  ready(x, i) {
    this.leave(x, i)
    if (this.state[x] === WAITS || this.state[x] === SLEEPS) this.set(x, READY, i)
  }

  take(i) {
    const { R } = this
    const x = R.th[i]
    const kind = R.k[i]
    if (this.steps.begins(i)) {
      this.s++
      this.main.push(i)
      this.last.push(i)
    }
    R.step[i] = this.s
    if (kind !== TURN && kind !== YIELD && kind !== GO) this.last[this.s] = i
    if (x >= 0 && kind !== WAKE) this.note(x, kind, i)
    this.happen(x, kind, i)
  }

  // Event i is one of thread x.
  note(x, kind, i) {
    const { R } = this
    R.events[x].push(i)
    if (R.at[i] > 0) R.line[x].push(this.s, i, R.at[i])
    // whoever acts, runs: where its turn is not in the recording, or the world has none
    const acts = kind === OP || kind === OUT || kind === WAIT || kind === ERR
    if (acts && this.state[x] !== RUNS && (this.state[x] === NONE || !R.simulated)) this.set(x, RUNS, i)
  }

  happen(x, kind, i) {
    const { R } = this
    switch (kind) {
      case TURN:
        return this.set(x, RUNS, i)
      case YIELD:
        return this.set(x, READY, i)
      case GO:
        this.leave(x, i)
        if (this.state[x] !== RUNS) this.set(x, RUNS, i)
        return
      case WAIT:
        this.stand(x, R.op[i] === O.sleep ? SLEEPS : WAITS, i)
        this.until[x] = R.a[i]
        return
      case MOVED:
        this.leave(x, i)
        return this.stand(x, WAITS, i)
      case WAKE:
        if (!R.threads[R.a[i]]) return
        this.ready(R.a[i], i)
        R.arrows.push({ s: this.s, ev: i, from: x, to: R.a[i], kind: 'wake' })
        return
      case CLOCK:
        for (let w = 0; w < this.until.length; w++) if (this.until[w] >= 0 && this.until[w] <= R.t[i]) this.ready(w, i)
        return
      case OUT:
        return this.say(x, i, false)
      case ERR:
        if (x >= 0) this.failed[x] = 1
        return this.say(x, i, true)
      case END:
        this.leave(x, i)
        this.set(x, ENDED, i)
        if (R.a[i] && R.text[i] && !this.failed[x]) this.say(x, i, true)
        return
      case HANDED:
      case OP:
        if (R.op[i] === O.start) return this.start(x, i)
        this.effects.take(i, x, R.ob[i], this.s)
    }
  }

  say(x, i, error) {
    this.R.out.push({ s: this.s, ev: i, th: x, text: this.R.text[i] ?? '', error })
  }

  start(x, i) {
    const started = this.R.objects[this.R.ob[i]]?.thread
    if (started == null) return
    this.set(started, READY, i)
    this.R.arrows.push({ s: this.s, ev: i, from: x, to: started, kind: 'start' })
  }

  finish() {
    const { R } = this
    R.N = this.s
    R.main = Int32Array.from(this.main)
    R.last = Int32Array.from(this.last)
    this.effects.finish(this.s)
  }
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
  R.used = R.objects.map(
    (o, i) =>
      !o.internal &&
      o.thread == null &&
      o.family !== 'thread' &&
      (R.hist[i].s.length > (R.hist[i].ev[0] === -1 ? 1 : 0) || R.inline[i].s.length > 0 || R.acc[i].length > 0)
  )
  const natural = new Intl.Collator('en', { numeric: true }),
    key = i => R.objects[i].kind + R.objects[i].name
  R.order = R.objects
    .map((_, i) => i)
    .filter(i => R.used[i])
    .sort((p, q) => natural.compare(key(p), key(q)))
}

// An item that is handed over directly is drawn instead of the wake-up that goes with it.
function sealArrows(arrows) {
  const key = p => p.s + '/' + p.from + '/' + p.to
  const handed = new Set(arrows.filter(p => p.kind === 'item' && p.s === p.s1).map(key))
  return arrows.filter(p => p.kind !== 'wake' || !handed.has(key(p))).sort((p, q) => p.s - q.s)
}

// How long a thread has run before each of its states, in steps and in time: what a pixel that covers many shows.
function runningSums(R, track) {
  const n = track.s.length,
    steps = new Float64Array(n + 1),
    time = new Float64Array(n + 1)
  for (let j = 0; j < n; j++) {
    const from = track.s[j],
      to = j + 1 < n ? track.s[j + 1] : R.N,
      runs = track.v[j] === RUNS ? 1 : 0
    steps[j + 1] = steps[j] + runs * (to - from)
    time[j + 1] = time[j] + runs * (R.st[to] - R.st[from])
  }
  return { steps, time }
}
