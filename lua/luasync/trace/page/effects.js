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
    const note = v => R.hist[o].push(s, i, v)
    switch (p) {
      case O.acquire:
      case O.try_acquire:
      case O.reacquire:
        if (a) {
          this.hold(o, x, s, i)
          note(x)
        }
        break
      case O.release:
        if (b === 0) {
          this.drop(o, a, s, i)
          note(-1)
        }
        break
      case O.down:
      case O.try_down:
        if (a) {
          this.hold(o, x, s, i)
          note(b)
        }
        break
      case O.up:
        this.drop(o, x, s, i)
        note(b)
        break
      case O.set:
        note(1)
        break
      case O.clear:
        note(0)
        break
      case O.put:
      case O.try_put:
      case O.submit:
        if (a > 0) {
          this.put(i, x, o, s)
          note(b)
        }
        break
      case O.get:
      case O.try_get:
      case O.take:
        if (a > 0) {
          note(b)
          this.get(i, x, o, s)
        }
        break
      case O.shutdown:
        note(b)
        break
      case O.acquire_read:
      case O.try_read:
        if (a) {
          this.hold(o, x, s, i)
          note(b)
        }
        break
      case O.acquire_write:
      case O.try_write:
        if (a) {
          this.hold(o, x, s, i)
          note(-1 - x)
        }
        break
      case O.release_read:
      case O.release_write:
        this.drop(o, a, s, i)
        note(b)
        break
      case O.barrier_wait:
      case O.barrier_abort:
      case O.barrier_reset:
        note(b)
        break
      case O.scope_join:
      case O.notify:
        break
      case O.run:
        note(x)
        break
      case O.resolve:
        note(a ? -2 : -4)
        break
      case O.cancel:
        if (a && R.objects[o].family === 'future') note(-3)
        break
      case O.read:
      case O.write:
      case O.update:
        this.access(i, x, o, s, p)
    }
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
