// The lanes of objects: owner and line of a lock, a flag, a value, the length of a queue, reads and writes.

function objectHeight(R, o) {
  const lines = R.rowsIn[o] * 7
  switch (R.objects[o].family) {
    case 'queue':
    case 'count':
      return 38
    case 'lock':
      return 22 + lines
    case 'rwlock':
    case 'flag':
    case 'future':
      return 26 + lines
  }
  return 30
}

function drawObject(row, y) {
  const { R, id: o, h } = row,
    { family } = R.objects[o]
  if (R.lost && !R.hist[o].s.length && !R.acc[o].length) cx.globalAlpha = 0.5
  switch (family) {
    case 'lock':
      drawOwners(R, o, y + h - 17, v => v)
      break
    case 'future':
      drawOwners(R, o, y + h - 19, v => v)
      drawFutureEnd(R, o, y + h - 19)
      break
    case 'rwlock':
      drawReaders(R, o, y + h - 19)
      break
    case 'flag':
      drawFlag(R, o, y + h - 20)
      break
    case 'queue':
    case 'count':
      drawChart(R, o, y + 6, y + h - 7)
      break
    case 'cells':
      drawCells(R, o, y + h / 2 - 1)
      break
    case 'crowd':
      if (R.hist[o].s.length) drawCounts(R, o, y + h - 14)
  }
  if (R.inline[o].s.length && family !== 'queue' && family !== 'count') drawLine(R, o, y)
  cx.globalAlpha = 1
}

// f(x0, x1, value, most) for each stretch of a track in view; those under a pixel are skipped. `most` is their highest
// value, where they are numbers and it is asked for.
function eachStretch(R, track, f, wantMost) {
  const S = track.s
  let i = Math.max(0, upperX(R, S, place0(view.left - 12)) - 1)
  while (i < S.length) {
    const x0 = xOf(R, S[i])
    if (x0 > view.W) break
    let next = i + 1,
      x1 = next < S.length ? xOf(R, S[next]) : xOf(R, R.N) + tailOf(R),
      v = track.v[i],
      most = -1
    if (x1 - x0 < 1 && next < S.length) {
      const end = Math.max(next, upperXFrom(R, S, place0(x0 + 1), i))
      if (wantMost) for (let g = i; g < end - 1 && g < i + 64; g++) if (track.v[g] > most) most = track.v[g]
      v = track.v[end - 1]
      next = end
      x1 = Math.max(x0 + 1, xOf(R, next < S.length ? S[next] : R.N))
    }
    if (x1 > view.left - 12 && (x1 > x0 || next >= S.length)) f(x0, Math.min(x1, view.W + 9), v, most)
    i = next
  }
}

// A block in the owner's colour, with its name or tag.
function drawOwner(R, x, x0, x1, y, h) {
  const w = x1 - x0
  cx.fillStyle = colourOf(x)
  if (w < 5) {
    cx.fillRect(x0, y, Math.max(w, 1), h)
    return
  }
  roundBox(x0, y, w, h, 3)
  cx.fill()
  const name = shortName(threadName(R, x)),
    tag = R.tag[x],
    middle = y + h / 2 + 0.5
  if (w > textWidth(name, F10) + 8) write(name, Math.max(x0, view.left - 6) + 4, middle, F10, onColour(x))
  else if (w > textWidth(tag, F10) + 4) write(tag, x0 + (w - textWidth(tag, F10)) / 2, middle, F10, onColour(x))
}
function drawOwners(R, o, y, ownerOf) {
  eachStretch(R, R.hist[o], (x0, x1, v) => {
    if (ownerOf(v) >= 0) drawOwner(R, ownerOf(v), x0, x1, y, 14)
  })
}
function drawFutureEnd(R, o, y) {
  eachStretch(R, R.hist[o], (x0, x1, v) => {
    if (v > -2) return
    cx.fillStyle = v === -4 ? P.red : P.ink3
    cx.fillRect(x0, y + 12, x1 - x0, 2)
    const text = v === -2 ? 'done' : v === -3 ? 'cancelled' : 'error'
    if (x1 - x0 > textWidth(text, F10) + 10)
      write(text, Math.max(x0, view.left - 6) + 6, y + 5, F10, v === -4 ? P.red : P.ink3)
  })
}
// A writer is a block, readers are a grey one with their number.
function drawReaders(R, o, y) {
  eachStretch(R, R.hist[o], (x0, x1, v) => {
    if (v < 0) {
      drawOwner(R, -1 - v, x0, x1, y, 14)
      return
    }
    if (v === 0) return
    const w = Math.max(x1 - x0, 1),
      text = w > 60 ? plural(v, 'reader') : String(v)
    roundBox(x0, y, w, 14, 3)
    cx.strokeStyle = P.ink2
    cx.lineWidth = 1.25
    cx.fillStyle = P.now
    cx.fill()
    cx.stroke()
    if (w > textWidth(text, F10) + 6) write(text, Math.max(x0, view.left - 6) + 4, y + 7.5, F10, P.ink)
  })
}
function drawFlag(R, o, y) {
  const h = 16
  eachStretch(R, R.hist[o], (x0, x1, v) => {
    if (v < 0) return
    const w = Math.max(x1 - x0, 1),
      text = v ? 'set' : 'unset'
    cx.fillStyle = v ? P.ink2 : P.ink3
    if (!v) cx.fillRect(x0, y + h - 1.5, w, 1.5)
    else {
      roundBox(x0, y, w, h, 3)
      cx.fill()
    }
    if (w > textWidth(text, F10) + 10)
      write(text, Math.max(x0, view.left - 6) + 6, y + h / 2 + (v ? 0.5 : -2), F10, v ? P.panel : P.ink3)
  })
}
function drawChart(R, o, top, base) {
  const unit = (base - top) / R.peak[o]
  if (R.objects[o].max > 0)
    stroke(
      () => {
        cx.moveTo(view.left - 9, top + 0.5)
        cx.lineTo(Math.min(view.W, xOf(R, R.N)), top + 0.5)
      },
      P.ink3,
      1,
      [3, 3]
    )
  let before = null
  eachStretch(
    R,
    R.hist[o],
    (x0, x1, v, most) => {
      const y = base - v * unit,
        w = x1 - x0
      cx.fillStyle = P.ink2
      if (most > v) cx.fillRect(x0 - 0.75, base - most * unit, 1.5, (most - v) * unit)
      cx.globalAlpha = 0.2
      cx.fillRect(x0, y, w, base - y)
      cx.globalAlpha = 1
      cx.fillRect(x0, y - 0.75, Math.max(w, 1), 1.5)
      if (before !== null) cx.fillRect(x0 - 0.75, Math.min(y, before), 1.5, Math.abs(y - before))
      before = y
      if (w > 5 + textWidth(String(v), F10))
        write(v, Math.max(x0, view.left - 6) + 4, v * unit > 13 ? y + 8 : y - 6, F10, P.ink)
    },
    true
  )
}
function drawCounts(R, o, y) {
  eachStretch(R, R.hist[o], (x0, x1, v) => {
    cx.fillStyle = P.ink3
    cx.fillRect(x0, y + 8, x1 - x0, 1.5)
    if (x1 - x0 > 13) write(v, Math.max(x0, view.left - 6) + 4, y + 2, F10, P.ink3)
  })
}
// Of the accesses i to j, which one step makes: what is lost later on, else what is written last, else the last.
function shownAccess(acc, i, j) {
  let shown = acc[i]
  for (let k = i + 1; k <= j; k++)
    if (shown.lostBy < 0 && (acc[k].lostBy >= 0 || acc[k].write || !shown.write)) shown = acc[k]
  return shown
}
// Ring = read, dot = write, with the value beside it; a value that was overwritten unseen is struck through.
function drawCells(R, o, y) {
  const acc = R.acc[o],
    S = R.accSteps[o]
  let before = -99
  for (let i = Math.max(0, upperX(R, S, view.x0 - 1 / view.k) - 1); i < acc.length;) {
    const first = i
    while (i < acc.length && acc[i].s === acc[first].s) i++
    const p = shownAccess(acc, first, i - 1),
      x = xOf(R, p.s)
    if (x > view.W) break
    if (x - before < 4 && p.lostBy < 0) continue
    const after = i < acc.length ? xOf(R, acc[i].s) : view.W
    cx.beginPath()
    cx.arc(x, y, 4, 0, 7)
    cx.lineWidth = 1.75
    cx.strokeStyle = colourOf(p.th)
    cx.fillStyle = p.write ? colourOf(p.th) : P.panel
    cx.fill()
    cx.stroke()
    const text = textWidth(p.text, F10) < after - x - 16 ? p.text : p.value,
      w = textWidth(text, F10)
    if (text && after - x > w + 14) {
      write(text, x + 8, y + 0.5, F10, p.lostBy >= 0 ? P.red : p.write ? P.ink : P.ink3)
      if (p.lostBy >= 0) {
        const vw = textWidth(p.value, F10)
        cx.fillStyle = P.red
        cx.fillRect(x + 7 + w - vw, y - 0.5, vw + 2, 1.5)
      }
    } else if (p.lostBy >= 0)
      stroke(
        () => {
          cx.moveTo(x - 5, y + 5)
          cx.lineTo(x + 5, y - 5)
        },
        P.red,
        2
      )
    before = x
  }
}
// Who stands in line: a thin hatched stripe each, capped in its colour.
function drawLine(R, o, y) {
  const waits = R.waits[o],
    lock = R.objects[o].family === 'lock',
    end = upperX(R, R.waitSteps[o], place0(view.W))
  let i = Math.max(0, upperX(R, R.waitSteps[o], view.x0) - 30)
  if (end - i >= 300) {
    eachStretch(R, R.inline[o], (x0, x1, v) => {
      if (v <= 0) return
      const h = Math.min(3, v) * 2 + 1
      cx.fillStyle = P.hatch
      cx.fillRect(x0, y + 9 - h, Math.max(1, x1 - x0), h)
    })
    return
  }
  for (; i < end; i++) {
    const p = waits[i],
      x0 = xOf(R, p.s0),
      x1 = xOf(R, p.s1) + (p.open ? tailOf(R) : 0)
    if (p.row > 2 || x1 - x0 < 2) continue
    const yy = y + 4 + (lock ? R.rowsIn[o] - 1 - p.row : p.row) * 7
    fillPattern(P.hatchedThin, x0, yy, x1 - x0, 5.5, 1.5)
    cx.strokeStyle = P.hatch
    cx.lineWidth = 0.75
    cx.stroke()
    cx.fillStyle = colourOf(p.th)
    cx.fillRect(x0, yy - 0.5, 3.5, 6.5)
  }
}

// ---- the same in words, for the state panel and the reports of the page

// Who waits for o at event e, longest first.
function lineOf(R, o, e) {
  if (R.inline[o].value(e, 0) <= 0) return []
  const line = []
  R.threads.forEach((_, x) => {
    const d = doing(R, x, e)
    if (d.state === WAITS && d.ev >= 0 && R.ob[d.ev] === o) line.push([d.ev, x])
  })
  return line.sort((p, q) => p[0] - q[0]).map(p => p[1])
}
// The items in queue o after event e: the last puts before e, as many as there are.
function itemsOf(R, o, e) {
  const all = R.items[o] || [],
    length = Math.max(0, R.hist[o].value(e, 0)),
    out = []
  let low = 1,
    high = all.length
  while (low < high) {
    const mid = (low + high) >> 1
    if (all[mid] && all[mid].ev > e) high = mid
    else low = mid + 1
  }
  for (let i = low - 1; i > 0 && out.length < length; i--) {
    const item = all[i]
    if (item && (item.takenEv < 0 || item.takenEv > e)) out.unshift(item)
  }
  return out
}
// The keys of a Shared (an Atomic: '') after event e, as far as they have been seen.
function cellsOf(R, o, e) {
  const cells = new Map()
  for (const p of R.acc[o]) {
    if (p.ev > e) break
    if (p.key && p.value === 'nil') cells.delete(p.key)
    else if (p.value !== '') cells.set(p.key, p)
  }
  return cells
}

const chipHtml = (fresh, html) => '<span class="chip' + (fresh ? ' new' : '') + '">' + html + '</span>'
function itemsHtml(R, o, e, main) {
  const { kind, max } = R.objects[o],
    n = Math.max(0, R.hist[o].value(e, 0)),
    items = itemsOf(R, o, e)
  const many = max > 0 ? ' of ' + max : '',
    word = kind === 'Pool' ? ' task' : ' item'
  const chips = items.slice(0, 6).map(q => chipHtml(q.ev === main, escapeHtml(q.text)))
  const words = '<b>' + n + '</b>' + many + word + (n === 1 && !many ? ' ' : 's ')
  return words + chips.join(' ') + (items.length > 6 ? '…' : '')
}
function cellsHtml(R, o, e, main) {
  const cells = [...cellsOf(R, o, e)]
  if (!cells.length) return R.lost ? 'not seen yet' : R.objects[o].kind === 'Atomic' ? '?' : 'empty'
  const chips = cells.slice(0, 12).map(([key, p]) => {
    const fresh = p.write && main >= 0 && R.step[p.ev] === R.step[main],
      lost = fresh && p.overwrites
    const title = lost && escapeHtml('written by ' + threadName(R, lost.th) + ', never seen')
    const old = lost ? '<s title="' + title + '">' + escapeHtml(lost.value) + '</s> ' : ''
    return chipHtml(fresh, (key ? escapeHtml(key) + ' = ' : '') + old + escapeHtml(p.value))
  })
  return chips.join('<span class="unseen">, </span>') + (cells.length > 12 ? '…' : '')
}

// The state of object o after event e in html; `main` is the event of the step, what it made is marked.
function objectHtml(R, o, e, main = -1) {
  const { family, max } = R.objects[o],
    v = R.hist[o].value(e)
  const line = lineOf(R, o, e).map(x => badgeHtml(R, x, WAITS)),
    waits = line.length ? ' · in line: ' + line.join(' ') : ''
  if (R.lost && v === undefined && family !== 'cells' && family !== 'crowd') return 'not recorded yet' + waits
  switch (family) {
    case 'lock':
      return ((v ?? -1) < 0 ? 'free' : '<b>held by ' + escapeHtml(threadName(R, v)) + '</b>') + waits
    case 'rwlock':
      return (
        (v < 0
          ? '<b>written by ' + escapeHtml(threadName(R, -1 - v)) + '</b>'
          : v > 0
            ? '<b>' + plural(v, 'reader') + '</b>'
            : 'free') + waits
      )
    case 'flag':
      return (v > 0 ? '<b>set</b>' : 'not set') + waits
    case 'count':
      return 'value <b>' + (v ?? '?') + '</b>' + (max > 0 ? ' of ' + max : '') + waits
    case 'future':
      return (
        (v >= 0
          ? '<b>run by ' + escapeHtml(threadName(R, v)) + '</b>'
          : { '-2': '<b>done</b>', '-3': 'cancelled', '-4': '<b>failed</b>' }[v] || 'pending') + waits
      )
    case 'queue':
      return itemsHtml(R, o, e, main) + waits
    case 'cells':
      return cellsHtml(R, o, e, main)
  }
  return line.length ? '<b>' + line.length + (max > 0 ? ' of ' + max : '') + ' waiting</b>' + waits : 'nobody waits'
}
const plainText = html => {
  const el = document.createElement('div')
  el.innerHTML = html
  return el.textContent.trim()
}
