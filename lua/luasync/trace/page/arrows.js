// Who wakes whom, who starts whom, what goes from whom to whom; chains of waits, and the circle of a deadlock.

// Arrows are drawn below the bars where a thread is started, above them otherwise. Where they would be too many, only
// those of the step at the playhead are, and how many are left out is said.
function drawArrows(R, r, off, starts) {
  let i = Math.max(0, upper(R.arrowSteps, stepAt(R, view.left - 30) - 1) - 60)
  const end = upper(R.arrowSteps, stepAt(R, view.W + 30)),
    many = end - i > Math.max(24, (view.W - view.left) / 11)
  view.tooMany = many ? end - i : 0
  const boxes = []
  const here = p => p.s === view.play[r] || p.s1 === view.play[r]
  for (; i < end; i++) {
    const p = R.arrows[i]
    if ((p.kind === 'start') === starts && (here(p) || (view.arrows && !many))) drawArrow(R, r, p, off, boxes)
  }
  drawItems(boxes)
}
function drawArrow(R, r, p, off, boxes) {
  const from = view.byThread[r][p.from],
    to = view.byThread[r][p.to],
    item = p.kind === 'item',
    start = p.kind === 'start'
  if (!to || (!from && p.from >= 0) || p.from === p.to) return
  const x0 = xOf(R, p.s),
    x1 = item ? xOf(R, p.s1) : x0,
    now = p.s === view.play[r]
  if (item && (x0 < view.left - 9 || x1 > view.W) && !now && p.s1 !== view.play[r]) return
  const ya = from ? middleOf(from, off) : view.top,
    yb = middleOf(to, off),
    down = yb > ya,
    sign = down ? 1 : -1
  const y0 = ya + sign * (from ? from.bar / 2 : 0),
    y1 = yb - sign * (to.bar / 2 - (start ? 2 : 0)),
    dy = y1 - y0
  const steep = x1 - x0 < 3,
    colour = item ? P.ink : colourOf(p.from)
  cx.lineCap = 'round'
  const path = () => {
    cx.moveTo(x0, y0)
    if (steep) {
      const bend = Math.min(13, 5 + Math.abs(dy) / 14)
      cx.bezierCurveTo(x0 + bend, y0 + dy * 0.25, x0 + bend, y0 + dy * 0.6, x1 + 1, y1 - sign * 5)
    } else
      cx.bezierCurveTo(
        x0 + (x1 - x0) * 0.12,
        y0 + dy * 0.75,
        x1 - (x1 - x0) * 0.12,
        y0 + dy * 0.2,
        x1 - 1,
        y1 - sign * 5
      )
  }
  if (!start) stroke(path, P.panel, now ? 5 : 3.5)
  stroke(path, colour, now ? 2.5 : 1.5, start ? [1, 4] : item ? [5, 3] : [])
  const hx = x1 + (steep ? 1 : -1),
    half = now ? 5 : 4
  triangle(hx, y1, hx - half, y1 - sign * 7, hx + half, y1 - sign * 7, colour)
  if (p.kind === 'wake') {
    cx.beginPath()
    cx.arc(x0, y0, 2.5, 0, 7)
    cx.fill()
  }
  if (item && p.text) boxes.push({ text: p.text, now, x: x0 + 5, y: y0 + sign * 9 })
}
const middleOf = (row, off) => row.y + off + row.top + row.bar / 2
// The values of items in boxes, as far as they do not overlap.
function drawItems(boxes) {
  const placed = []
  for (const box of boxes.sort((a, b) => b.now - a.now)) {
    const text = fitText(box.text, box.now ? 170 : 58, F10),
      w = textWidth(text, F10) + 8,
      x = box.x - 4
    if (!text || placed.some(q => Math.abs(q.y - box.y) < 13 && x < q.x + q.w + 2 && q.x < x + w + 2)) continue
    placed.push({ x, y: box.y, w })
    roundBox(x, box.y - 7, w, 14, 3)
    cx.fillStyle = P.panel
    cx.fill()
    cx.strokeStyle = box.now ? P.ink : P.hatch
    cx.lineWidth = 1
    cx.stroke()
    write(text, box.x, box.y + 0.5, F10, P.ink)
  }
}

// Whom thread x waits for at event e, owner after owner, at pixel px.
function drawChain(R, r, x, e, px, off) {
  for (const { from, to, o } of waitChain(R, x, e)) {
    const a = view.byThread[r][from],
      b = view.byThread[r][to]
    if (!a || !b) continue
    const y0 = middleOf(a, off),
      y1 = middleOf(b, off),
      bend = -34
    const path = () => {
      cx.moveTo(px, y0)
      cx.bezierCurveTo(px + bend, y0, px + bend, y1, px - 4, y1)
    }
    stroke(path, P.panel, 5)
    stroke(path, P.ink, 2, [6, 3])
    triangle(px + 2, y1, px - 7, y1 - 4.5, px - 7, y1 + 4.5, P.ink)
    if (R.objects[o].thread == null) nameBox(R.objects[o].name, px + bend * 0.75, (y0 + y1) / 2, P.ink, P.panel)
  }
}

// A deadlock: each waits for the next, in red, behind the end of the lanes.
function drawCircle(R, r, off) {
  const circle = R.run.verdict.circle,
    xe = xOf(R, R.N) + view.tail + 4
  if (xe > view.W + 40) return
  circle.forEach((x, i) => {
    const a = view.byThread[r][x],
      b = view.byThread[r][circle[(i + 1) % circle.length]]
    if (!a || !b) return
    const o = lastWait(R, x),
      upwards = b.y < a.y,
      bend = upwards ? 62 : 24
    const y0 = middleOf(a, off) + (upwards ? 2 : 3),
      y1 = middleOf(b, off) + (upwards ? -2 : -3)
    stroke(
      () => {
        cx.moveTo(xe, y0)
        cx.bezierCurveTo(xe + bend, y0, xe + bend, y1, xe + 4, y1)
      },
      P.red,
      2,
      [6, 3]
    )
    triangle(xe - 2, y1, xe + 7, y1 - 4.5, xe + 7, y1 + 4.5, P.red)
    if (o >= 0 && R.objects[o].thread == null)
      nameBox(fitText(R.objects[o].name, 90, F11B), xe + bend * 0.75, (y0 + y1) / 2, P.red, P.redbg)
  })
}
// The object that thread x waits for at the end of the run; -1: none.
function lastWait(R, x) {
  const track = R.seg[x],
    ev = track.ev[track.ev.length - 1]
  return ev >= 0 ? R.ob[ev] : -1
}
