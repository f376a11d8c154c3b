// What operations do to objects: who holds what, who stands in line, which values were lost.

// The first of 31 rows that is free in the mask, which is marked.
function freeRow(masks, i) {
  let row = 0
  while (row < 31 && (masks[i] >> row) & 1) row++
  masks[i] |= 1 << row
  return row
}

class Effects {
  constructor(R) {
    this.R = R
    const T = R.threads.length,
      N = R.objects.length
    this.inLine = new Array(T).fill(null) // per thread: its entry in R.waits
    this.lineMask = new Int32Array(N)
    this.lineLength = new Int32Array(N)
    this.holdMask = new Int32Array(T)
    this.open = R.objects.map(() => null) // per object: the holds that are not over
    this.handed = new Int16Array(T).fill(-1) // per thread: the operation that was done for it
    this.cells = R.objects.map(() => null) // per Shared: what is known of its keys
  }

  // The states at the beginning of the recording.
  begin() {
    const { R } = this
    R.objects.forEach((o, i) => {
      if (o.family === 'flag') R.hist[i].push(0, -1, o.first ?? (R.lost ? -1 : 0))
      else if (o.family === 'lock') {
        if (o.first >= 0) {
          R.hist[i].push(0, -1, o.first)
          this.hold(i, o.first, 0, -1)
        }
      } else if (o.kind === 'Atomic') {
        if (o.first != null) R.acc[i].push({ s: 0, ev: -1, th: -1, text: String(o.first), write: true, key: '' })
      } else if (o.first != null && typeof o.first === 'number') R.hist[i].push(0, -1, o.first)
    })
  }

  standInLine(x, o, s, i) {
    if (o < 0) return
    const { R } = this,
      row = freeRow(this.lineMask, o)
    R.waits[o].push((this.inLine[x] = { s0: s, s1: -1, th: x, ob: o, row, open: true }))
    if (row < 3 && row + 1 > R.rowsIn[o]) R.rowsIn[o] = row + 1
    R.inline[o].push(s, i, ++this.lineLength[o])
  }

  leaveLine(x, s, i) {
    const entry = this.inLine[x]
    if (!entry) return
    entry.s1 = s
    entry.open = false
    this.lineMask[entry.ob] &= ~(1 << entry.row)
    this.R.inline[entry.ob].push(s, i, --this.lineLength[entry.ob])
    this.inLine[x] = null
  }

  hold(o, x, s, i) {
    const { R } = this,
      open = (this.open[o] ||= [])
    if (R.objects[o].family !== 'count' && open.some(h => h.th === x)) return
    const h = { ob: o, th: x, s0: s, s1: -1, e0: i, e1: -1, row: freeRow(this.holdMask, x), open: true }
    R.holds[x].push(h)
    open.push(h)
  }

  // Thread x lets o go; a unit of a semaphore may be given back by another one.
  drop(o, x, s, i) {
    const open = this.open[o]
    if (!open || !open.length) return
    const at = Math.max(
        0,
        open.findIndex(h => h.th === x)
      ),
      [h] = open.splice(at, 1)
    h.s1 = s
    h.e1 = i
    h.open = false
    this.holdMask[h.th] &= ~(1 << h.row)
  }

  // Event i: thread x does (or is handed) an operation on o.
  take(i, x, o, s) {
    const { R } = this,
      p = R.op[i],
      a = R.a[i],
      b = R.b[i]
    if (o < 0 || !R.objects[o]) return
    if (R.k[i] === HANDED) this.handed[x] = p
    else if (this.handed[x] === p && b === -1) {
      this.handed[x] = -1
      return
    } else this.handed[x] = -1
    EFFECTS[p]?.(this, { i, x, o, s, a, b, p })
  }

  note({ i, o, s }, value) {
    this.R.hist[o].push(s, i, value)
  }

  taken(e, value) {
    if (!e.a) return
    this.hold(e.o, e.x, e.s, e.i)
    this.note(e, value)
  }

  put(i, x, o, s) {
    ;(this.R.items[o] ||= [])[this.R.a[i]] = {
      s,
      ev: i,
      th: x,
      text: this.R.text[i] ?? '',
      takenStep: -1,
      takenEv: -1,
      takenBy: -1,
    }
  }

  get(i, x, o, s) {
    const { R } = this,
      item = R.items[o]?.[R.a[i]]
    if (!item) return
    R.text[i] = item.text
    item.takenStep = s
    item.takenEv = i
    item.takenBy = x
    R.arrows.push({ s: item.s, s1: s, ev: item.ev, from: item.th, to: x, kind: 'item', text: item.text, ob: o })
  }

  // A read or write of a Shared's key or an Atomic. A write that follows a read by the same thread makes those writes
  // of others lost that came in between.
  access(i, x, o, s, p) {
    const { R } = this,
      text = R.text[i] ?? '',
      cut = text.indexOf(' = '),
      atomic = R.objects[o].kind === 'Atomic'
    const key = atomic ? '' : cut < 0 ? text : text.slice(0, cut),
      write = p !== O.read
    const access = {
      s,
      ev: i,
      th: x,
      text,
      write,
      key,
      value: atomic ? text : cut < 0 ? '' : text.slice(cut + 3),
      lostBy: -1,
    }
    R.acc[o].push(access)
    const cell = (this.cells[o] ||= new Map()).get(key) || { writes: [], seen: new Map() }
    this.cells[o].set(key, cell)
    if (!write) {
      cell.seen.set(x, cell.writes.length)
      return
    }
    const seen = p === O.write && cell.seen.get(x)
    if (typeof seen === 'number')
      for (let j = seen; j < cell.writes.length; j++)
        if (cell.writes[j].th !== x) {
          cell.writes[j].lostBy = s
          access.overwrites = R.overwritten[i] = cell.writes[j]
        }
    cell.writes.push(access)
    cell.seen.delete(x)
  }

  // What is still open lasts to the end of the run, step s.
  finish(s) {
    for (const list of this.R.waits) for (const w of list) if (w.open) w.s1 = s
    for (const list of this.R.holds) for (const h of list) if (h.open) h.s1 = s
  }
}

// What each operation does to its object: e is the event i of thread x on object o in step s, with its numbers a and b.
const takes = (effects, e) => effects.taken(e, e.b)
const owns = (effects, e) => effects.taken(e, e.x)
const writes = (effects, e) => effects.taken(e, -1 - e.x)
const becomes = value => (effects, e) => effects.note(e, value)
const counts = (effects, e) => effects.note(e, e.b)
const gives = (effects, e) => {
  effects.drop(e.o, e.a, e.s, e.i)
  effects.note(e, e.b)
}
const puts = (effects, e) => {
  if (e.a <= 0) return
  effects.put(e.i, e.x, e.o, e.s)
  effects.note(e, e.b)
}
const gets = (effects, e) => {
  if (e.a <= 0) return
  effects.note(e, e.b)
  effects.get(e.i, e.x, e.o, e.s)
}
const accesses = (effects, e) => effects.access(e.i, e.x, e.o, e.s, e.p)
const EFFECTS = []
for (const [words, effect] of [
  ['acquire try_acquire reacquire', owns],
  ['down try_down acquire_read try_read', takes],
  ['acquire_write try_write', writes],
  ['release_read release_write', gives],
  ['put try_put submit', puts],
  ['get try_get take', gets],
  ['shutdown barrier_wait barrier_abort barrier_reset', counts],
  ['read write update', accesses],
  ['set', becomes(1)],
  ['clear', becomes(0)],
  ['run', (effects, e) => effects.note(e, e.x)],
  ['resolve', (effects, e) => effects.note(e, e.a ? -2 : -4)],
])
  for (const word of words.split(' ')) EFFECTS[O[word]] = effect
EFFECTS[O.release] = (effects, e) => {
  if (e.b !== 0) return
  effects.drop(e.o, e.a, e.s, e.i)
  effects.note(e, -1)
}
EFFECTS[O.up] = (effects, e) => {
  effects.drop(e.o, e.x, e.s, e.i)
  effects.note(e, e.b)
}
EFFECTS[O.cancel] = (effects, e) => {
  if (e.a && effects.R.objects[e.o].family === 'future') effects.note(e, -3)
}
