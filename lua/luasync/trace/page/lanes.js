// The lanes of threads: state bars, a cell for each operation, brackets for what is held, and the names on the left.

const DENSE = new Float64Array(3 * 8192)

function drawThread(row, y) {
  const { R, id: x, bar } = row,
    track = R.seg[x],
    S = track.s,
    n = S.length,
    by = y + row.top,
    sums = R.sums[x]
  const circle = R.run.verdict?.circle?.includes(x)
  let i = Math.max(0, upperX(R, S, place0(view.left - 12)) - 1),
    dense = 0
  while (i < n) {
    const s0 = S[i],
      s1 = i + 1 < n ? S[i + 1] : R.N,
      state = track.v[i],
      x0 = xOf(R, s0),
      x1 = xOf(R, s1)
    if (x0 > view.W) break
    if (x1 - x0 < 1.6 && i + 1 < n && n > 400 && dense < 24000) {
      // many states under two pixels: what share of them runs
      const next = Math.max(i + 1, upperXFrom(R, S, place0(x0 + 2), i)),
        end = next < n ? S[next] : R.N
      const ran = (1 - R.m) * (sums.steps[next] - sums.steps[i]) + R.m * (sums.time[next] - sums.time[i]) * R.perTime
      DENSE[dense++] = x0
      DENSE[dense++] = Math.max(2, xOf(R, end) - x0)
      DENSE[dense++] = Math.max(0, Math.min(1, ran / Math.max(1e-9, R.X[end] - R.X[s0]))) * bar
      i = next
      continue
    }
    if (dense) {
      drawDense(x, by, bar, dense)
      dense = 0
    }
    if (state === ENDED) {
      if (x0 > view.left - 12) {
        cx.fillStyle = colourOf(x)
        cx.fillRect(x0, by - 1, 3, bar + 2)
      }
      break
    }
    if (x1 > view.left - 12 && (x1 > x0 || i === n - 1))
      drawState(row, i, by, Math.max(x0, view.left - 20), Math.min(x1, view.W + 20), i === n - 1, circle)
    i++
  }
  if (dense) drawDense(x, by, bar, dense)
  drawMarks(row, by)
  if (row.tight) drawThinBrackets(row, by + bar + 2)
  else drawBrackets(row, by + bar + 2)
}
// Columns of two pixels: how much of each ran, from below.
function drawDense(x, by, bar, n) {
  cx.fillStyle = P.dense
  cx.fillRect(DENSE[0], by, DENSE[n - 3] + DENSE[n - 2] - DENSE[0], bar)
  cx.fillStyle = colourOf(x)
  for (let i = 0; i < n; i += 3) cx.fillRect(DENSE[i], by + bar - DENSE[i + 2], DENSE[i + 1], DENSE[i + 2])
}
// One state from pixel a to b: entry i of the thread's track.
function drawState(row, i, by, a, b, isLast, circle) {
  const { R, id: x, bar } = row,
    track = R.seg[x],
    state = track.v[i],
    ev = track.ev[i],
    colour = colourOf(x)
  const middle = by + bar / 2,
    w = b - a
  // what is narrow gets no rounded corners and no hatch of its own: they would not be seen, and cost much
  if (w < 5 && !(isLast && state === WAITS)) {
    cx.fillStyle = state === WAITS ? P.dense : colour
    if (state === RUNS) cx.fillRect(a, by, Math.max(w, 1.2), bar)
    else if (state === WAITS) cx.fillRect(a, by + 1.5, Math.max(w, 0.5), bar - 3)
    else {
      cx.fillRect(a, middle - (state === READY ? 4 : 1), w, 1.5)
      if (state === READY) cx.fillRect(a, middle + 2.5, w, 1.5)
    }
    return
  }
  if (state === RUNS) {
    cx.fillStyle = colour
    roundBox(a, by, w, bar, 3)
    cx.fill()
  } else if (state === READY) {
    roundBox(a + 0.75, middle - 4, Math.max(w - 1.5, 0.5), 8, 3)
    cx.fillStyle = P.panel
    cx.fill()
    cx.strokeStyle = colour
    cx.lineWidth = 1.5
    cx.stroke()
  } else if (state === SLEEPS) {
    stroke(
      () => {
        cx.moveTo(a + 2, middle)
        cx.lineTo(b - 2, middle)
      },
      colour,
      2,
      [2, 5]
    )
    if (w > 34 && !row.tight) {
      const text = waitWords(R, ev).short,
        tw = textWidth(text, F11)
      if (tw < w - 16) plate(text, a + (w - tw) / 2, middle, F11, P.ink2, P.panel, w)
    }
  } else if (state === WAITS) {
    const red = circle && isLast,
      full = isLast ? w + tailOf(R) : w
    fillPattern(red ? P.hatchedRed : P.hatched, a + 0.5, by + 1.5, Math.max(full - 1, 0.5), bar - 3, 2.5)
    if (w > 3 || isLast) {
      cx.strokeStyle = red ? P.red : P.hatch
      cx.lineWidth = 1
      cx.stroke()
    }
    if (full > 40 && !row.tight && ev >= 0) {
      const words = waitWords(R, ev, R.last[Math.min(R.N, track.s[i])]).short
      const text = textWidth(words, F11) < full - 18 ? words : fitText(R.objects[R.ob[ev]]?.name || '', full - 16, F11)
      if (text) plate(text, a + 8, middle, F11, red ? P.red : P.ink, red ? P.redbg : P.wait, full - 14)
    }
  }
}

// Where one operation ends and the next begins, with the words that fit; prints and errors above the bar.
function drawMarks(row, by) {
  const { R, id: x, bar } = row,
    events = R.events[x],
    steps = R.eventSteps[x]
  let i = Math.max(0, upper(steps, Math.max(0, stepAt(R, view.left) - 1)) - 1)
  const end = upper(steps, stepAt(R, view.W) + 1)
  if ((view.W - view.left) / Math.max(1, end - i) < 5) return
  let before = -1e9
  for (; i < end; i++) {
    const e = events[i],
      s = steps[i],
      kind = R.k[e]
    if (R.main[s] !== e && kind !== ERR) continue
    const px = xOf(R, s)
    if (px - before < 3) {
      before = px
      continue
    }
    const ran = ranBefore(R, x, s)
    if (ran && kind !== END) {
      cx.fillStyle = P.panel
      cx.globalAlpha = 0.85
      cx.fillRect(px - 0.75, by, 1.5, bar)
      cx.globalAlpha = 1
    }
    if (kind === OUT) drawSpeech(px, by)
    if (kind === ERR) drawCross(px, by, bar)
    if (!row.tight && ran && (kind === OP || kind === OUT || kind === END || kind === WAIT))
      drawCell(R, x, e, s, px, by, bar)
    before = px
  }
}
function drawSpeech(px, by) {
  cx.fillStyle = P.ink2
  roundBox(px - 8, by - 5.5, 8, 5, 1.5)
  cx.fill()
  triangle(px - 6, by - 2, px - 2.5, by - 2, px - 6, by + 1, P.ink2)
}
function drawCross(px, by, bar) {
  stroke(
    () => {
      cx.moveTo(px - 4, by + 4)
      cx.lineTo(px + 5, by + bar - 4)
      cx.moveTo(px + 5, by + 4)
      cx.lineTo(px - 4, by + bar - 4)
    },
    P.red,
    2.5
  )
}
function drawCell(R, x, e, s, px, by, bar) {
  const left = Math.max(cellStart(R, x, s), view.left - 9),
    w = px - left,
    kind = R.k[e]
  const words = kind === OUT ? 'print' : kind === END ? 'end' : kind === WAIT ? callWords(R, e) : opWords(R, e)[1]
  const text = [words, words.replace(/ [^ ]+$/, ''), words.split(' ')[0]].find(t => textWidth(t, F10) <= w - 5)
  if (text) write(text, left + (w - textWidth(text, F10)) / 2, by + bar / 2 + 0.5, F10, onColour(x))
}
// Whether thread x was running just before step s.
function ranBefore(R, x, s) {
  const track = R.seg[x]
  let j = upper(track.s, s - 1) - 1
  while (j + 1 < track.s.length && track.s[j + 1] < s) j++
  return j >= 0 && track.v[j] === RUNS
}
// The pixel at which the cell of step s begins: the thread's step before, or its turn.
function cellStart(R, x, s) {
  const track = R.seg[x],
    steps = R.eventSteps[x],
    turn = track.s[upper(track.s, s - 1) - 1]
  let i = upper(steps, s - 1) - 1
  while (i >= 0 && R.main[steps[i]] !== R.events[x][i]) i--
  return xOf(R, Math.max(i >= 0 ? steps[i] : 0, turn ?? 0, 0))
}

// Locks held and, dashed, units of semaphores: brackets with names under the bar.
function drawBrackets(row, y) {
  const { R, id: x } = row,
    list = R.holds[x]
  let i = Math.max(0, upper(R.holdSteps[x], stepAt(R, view.left)) - 40)
  for (let shown = 0; i < list.length && shown < 700; i++) {
    const h = list[i],
      x0 = xOf(R, h.s0)
    if (x0 > view.W) break
    const x1 = xOf(R, h.s1) + (h.open ? Math.max(8, tailOf(R)) : 0),
      w = x1 - x0
    if (x1 < view.left - 12 || h.row >= row.brackets || w < 2) continue
    shown++
    const yy = y + h.row * 14 + 4,
      { name } = R.objects[h.ob]
    stroke(
      () => {
        cx.moveTo(x0 + 0.75, yy - 3)
        cx.lineTo(x0 + 0.75, yy + 3.5)
        cx.lineTo(x1 - 0.75, yy + 3.5)
        if (!h.open) cx.lineTo(x1 - 0.75, yy - 3)
      },
      P.ink2,
      1.5,
      R.objects[h.ob].family === 'count' ? [4, 2.5] : []
    )
    if (w > textWidth(name, F10) + 12)
      plate(name, Math.max(x0, view.left - 6) + 6, yy + 3, F10, P.ink2, x === view.selected ? P.lane : P.panel, w - 10)
  }
}
// Where rows are low: one line while anything is held.
function drawThinBrackets(row, y) {
  const { R, id: x } = row,
    list = R.holds[x],
    S = R.holdSteps[x]
  let i = Math.max(0, upperX(R, S, view.x0) - 2),
    before = -9
  if (upperX(R, S, place0(view.W)) - i > 1500) return
  cx.fillStyle = P.ink2
  while (i < list.length) {
    const h = list[i],
      x0 = xOf(R, h.s0),
      x1 = xOf(R, h.s1)
    if (x0 > view.W) break
    if (x1 - before >= 1) {
      cx.fillRect(Math.max(x0, before), y + 1, Math.max(1, x1 - x0), 2)
      before = Math.max(before, x1)
    }
    i = x1 - x0 < 1 ? Math.max(i + 1, upperXFrom(R, S, place0(x0 + 1), i)) : i + 1
  }
}

// The column on the left: names, and below each what the thread does at the playhead.
function drawLabels(rows, off) {
  const edge = view.left - 9
  cx.fillStyle = P.panel
  cx.fillRect(0, view.top, edge, view.H - view.top)
  for (const row of rows) {
    const y = row.y + off
    if (row.type === 'title' || row.type === 'head') {
      cx.fillStyle = P.bg
      cx.fillRect(0, y, edge, row.h)
      if (row.type === 'head') drawRunLabel(row, y)
      else drawTitle(row, y)
    }
    if (row.type === 'thread') drawThreadLabel(row, y, edge)
    if (row.type === 'object') drawObjectLabel(row, y)
    if (row.type === 'thread' || row.type === 'object') {
      cx.fillStyle = P.line2
      cx.fillRect(0, Math.round(y + row.h) - 1, edge, 1)
    }
  }
  cx.fillStyle = P.line
  cx.fillRect(edge, view.top, 1, view.H)
}
function drawTitle(row, y) {
  cx.letterSpacing = '.5px'
  write(row.text.toUpperCase(), 12, y + row.h / 2 + 1, '600 10px ' + FONT, P.ink3)
  cx.letterSpacing = '0px'
}
function drawRunLabel(row, y) {
  const { run } = row.R,
    bad = isWrong(run)
  write(
    fitText(verdictMark(run) + verdictWords(run, 'ends well'), view.left - 24, F12B),
    12,
    y + row.h / 2,
    F12B,
    bad ? P.red : P.ink
  )
}
function drawThreadLabel(row, y, edge) {
  const { R, id: x } = row,
    middle = y + row.top + row.bar / 2,
    { name, daemon } = R.threads[x]
  if (x === view.selected) {
    cx.fillStyle = P.lane
    cx.fillRect(0, y, edge, row.h)
    cx.fillStyle = P.ink
    cx.fillRect(0, y, 3, row.h - 1)
  }
  const d = doing(R, x, R.last[view.play[row.r]])
  if (row.tight) {
    const w = badge(
      R,
      x,
      10,
      middle,
      d.state === NONE || d.state === ENDED ? 'gone' : d.state === RUNS ? 'full' : 'hollow',
      13
    )
    write(fitText(name, view.left - 28 - w, F11), 16 + w, middle, F11, d.state === NONE ? P.ink3 : P.ink)
    return
  }
  const w = badge(
    R,
    x,
    10,
    middle,
    d.state === RUNS ? 'full' : d.state === ENDED || d.state === NONE ? 'gone' : 'hollow'
  )
  const parts = /^(.*?) (\(.*\))$/.exec(name),
    text = fitText(parts ? parts[1] : name, view.left - 40 - w, F12B)
  write(text, 17 + w, middle, F12B, d.state === ENDED || (d.state === NONE && R.lost) ? P.ink3 : P.ink)
  if (parts || daemon) {
    const at = 17 + w + textWidth(text, F12B) + 4
    write(
      fitText(((parts ? parts[2] : '') + (daemon ? ' daemon' : '')).trim(), view.left - 14 - at, F10),
      at,
      middle + 0.5,
      F10,
      P.ink3
    )
  }
  if (row.h < 32) return
  const narrow = view.left < 150 && (d.state === WAITS || d.state === SLEEPS)
  write(
    fitText(
      narrow ? waitWords(R, d.ev, R.last[view.play[row.r]]).short.replace(' has it', '') : d.text,
      view.left - 30 - w,
      F10
    ),
    17 + w,
    y + row.top + row.bar + 8,
    F10,
    P.ink2
  )
}
function drawObjectLabel(row, y) {
  const { kind, name } = row.R.objects[row.id],
    plain = name.startsWith(kind + '-'),
    word = plain ? '' : kind + ' '
  const at = 12 + textWidth(word, F11),
    middle = y + row.h / 2
  write(word, 12, middle, F11, P.ink2)
  write(fitText(plain ? name : "'" + name + "'", view.left - 16 - at, F11B), at, middle, F11B, P.ink)
}
