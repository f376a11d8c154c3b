// The horizontal axis. A step lies between its number and its time, as view.mix says (0 steps, 1 time): true time shows
// a hundred virtual steps as one line, pure steps hide that somebody slept.

function layAxis(R) {
  const { N } = R,
    m = R.T > 0 ? view.mix : 0
  if (R.X?.length !== N + 1) R.X = new Float64Array(N + 1)
  R.m = m
  R.perTime = R.T > 0 ? N / R.T : 0
  for (let s = 0; s <= N; s++) R.X[s] = (1 - m) * s + m * R.st[s] * R.perTime
  view.ticksOf = null
}
const xOf = (R, s) => (R.X[s] - view.x0) * view.k + view.left
const place0 = px => view.x0 + (px - view.left) / view.k // the place on the axis at a pixel
// How far what lasts for ever is drawn beyond the end of the run.
const tailOf = R => (R.run.verdict?.circle ? view.tail : 0)
const axisEnd = () => view.runs.reduce((most, R) => Math.max(most, R.X[R.N]), 1)
const roomX = () => view.W - view.left - view.padRight - 8
const fitScale = () => Math.max(1e-9, roomX() / axisEnd())
const isWhole = () => view.k <= fitScale() * 1.01

// How many of the steps in `list` are at or left of place w.
function upperX(R, list, w) {
  let low = 0,
    high = list.length
  while (low < high) {
    const mid = (low + high) >> 1
    if (R.X[list[mid]] <= w) low = mid + 1
    else high = mid
  }
  return low
}
// The same from index i on, for what is near: doubles its stride first.
function upperXFrom(R, list, w, i) {
  let d = 1
  while (i + d < list.length && R.X[list[i + d]] <= w) d *= 2
  let low = i + (d >> 1),
    high = Math.min(list.length, i + d)
  while (low < high) {
    const mid = (low + high) >> 1
    if (R.X[list[mid]] <= w) low = mid + 1
    else high = mid
  }
  return low
}
// The step whose place is nearest to a pixel.
function stepAt(R, px) {
  const w = place0(px),
    i = upper(R.X, w)
  if (i === 0) return 0
  return i > R.N ? R.N : w - R.X[i - 1] <= R.X[i] - w ? i - 1 : i
}

function clampView() {
  const low = fitScale(),
    most = view.runs.some(R => R.m < 1) ? 260 : 260 * Math.max(1, run0().N / 1000)
  view.k = Math.min(Math.max(view.k, low), Math.max(low * 4, most) * (1 + 1e3 * view.mix))
  const furthest = axisEnd() - roomX() / view.k
  view.x0 = Math.max(-8 / view.k, Math.min(view.x0, Math.max(furthest, -8 / view.k)))
}
function zoom(factor, at) {
  const w = place0(at)
  view.k *= factor
  clampView()
  view.x0 = w - (at - view.left) / view.k
  clampView()
  draw()
}
function pan(pixels) {
  view.x0 += pixels / view.k
  clampView()
  draw()
}
function fitAll() {
  view.k = fitScale()
  view.x0 = -8 / view.k
  clampView()
  draw()
}
// Where the playhead is, or the middle where it is out of view.
function playPixel() {
  const x = xOf(run0(), view.play[0])
  return x > view.left && x < view.W ? x : (view.left + view.W) / 2
}

// To another axis in a quarter of a second: the step at the playhead stays where it is.
function axisTo(mix) {
  const R = run0()
  if (R.T === 0 || view.compare) return
  view.goal = mix
  axisButtons()
  const from = view.mix,
    begin = performance.now(),
    whole = isWhole()
  const still = matchMedia('(prefers-reduced-motion:reduce)').matches
  const frame = now => {
    if (view.goal !== mix) return
    const u = still ? 1 : Math.min(1, Math.max(0, now - begin) / 240),
      x = xOf(R, view.play[0])
    view.mix = from + (mix - from) * u * u * (3 - 2 * u)
    layAxis(R)
    view.stripDirty = true
    if (whole) {
      view.k = fitScale()
      view.x0 = -8 / view.k
    } else view.x0 = R.X[view.play[0]] - (x - view.left) / view.k
    clampView()
    draw()
    if (u < 1) requestAnimationFrame(frame)
  }
  if (still) frame(0)
  else requestAnimationFrame(frame)
}
function axisButtons() {
  for (const button of $('axis').children) {
    const mix = +button.dataset.mix
    button.setAttribute('aria-pressed', Math.abs(mix - view.goal) < 0.01)
    button.disabled = (run0().T === 0 && mix > 0) || !!view.compare
  }
}

// The next of 1, 2, 5, 10, 20 … that is not less than x.
function nice(x) {
  const p = 10 ** Math.floor(Math.log10(x)),
    r = x / p
  return (r <= 1 ? 1 : r <= 2 ? 2 : r <= 5 ? 5 : 10) * p
}
function timeAt(R, px) {
  const w = place0(px),
    i = upper(R.X, w)
  if (i <= 0) return 0
  if (i > R.N) return R.st[R.N]
  const a = R.X[i - 1],
    b = R.X[i]
  return R.st[i - 1] + (b > a ? (w - a) / (b - a) : 0) * (R.st[i] - R.st[i - 1])
}
function xOfTime(R, t) {
  const i = upper(R.st, t - 1e-9)
  if (i <= 0) return xOf(R, 0)
  if (i > R.N) return xOf(R, R.N)
  const a = R.st[i - 1],
    b = R.st[i]
  return xOf(R, i - 1) + (b > a ? (t - a) / (b - a) : 1) * (xOf(R, i) - xOf(R, i - 1))
}

// What the rulers mark: instants as bands where few are in view, else times; and steps.
function ticks(R) {
  const key = [view.x0, view.k, view.mix, view.W].join()
  if (view.ticksOf === R && view.tickKey === key) return view.ticks
  const out = { bands: [], times: [], steps: [], lines: [] },
    from = stepAt(R, view.left),
    to = stepAt(R, view.W)
  if (R.T > 0) timeTicks(R, from, to, out)
  stepTicks(R, from, to, out)
  view.ticksOf = R
  view.tickKey = key
  return (view.ticks = out)
}
function timeTicks(R, from, to, out) {
  let instants = 0
  for (let s = Math.max(1, from); s <= to && instants < 61; s++) if (R.st[s] !== R.st[s - 1]) instants++
  if (R.simulated && instants <= 60) {
    let s = from
    while (s > 0 && R.st[s - 1] === R.st[s]) s--
    while (s <= to) {
      let e = s
      while (e < R.N && R.st[e + 1] === R.st[s]) e++
      out.bands.push({ x0: xOf(R, s), x1: xOf(R, e), t: R.st[s] })
      s = e + 1
    }
    out.lines = out.bands.filter(b => b.t > 0).map(b => b.x0)
    return
  }
  const t0 = timeAt(R, view.left),
    t1 = timeAt(R, view.W),
    d = nice(Math.max(1, (t1 - t0) / Math.max(2, (view.W - view.left) / 110)))
  for (let t = Math.ceil(t0 / d) * d; t <= t1; t += d) {
    const x = xOfTime(R, t)
    out.times.push({ x, t, d })
    out.lines.push(x)
  }
}
function stepTicks(R, from, to, out) {
  const perStep = view.k * (1 - R.m),
    even = R.m < 1 && perStep > 0
  if (!even && to <= from) return
  const d = Math.max(1, even ? nice(46 / perStep) : nice((to - from) / Math.max(1, (view.W - view.left) / 64)))
  let before = -1e9
  for (let s = Math.ceil(from / d) * d; s <= to; s += d) {
    const x = xOf(R, s)
    if (x - before < 44) continue
    out.steps.push({ x, s })
    before = x
  }
}
// A time at a tick, with as many digits as the distance of ticks needs.
function tickText(t, d) {
  const [unit, word] = t >= 1e9 || d >= 1e9 ? [1e9, ' s'] : t >= 1e6 || d >= 1e6 ? [1e6, ' ms'] : [1e3, ' µs']
  return (t / unit).toFixed(Math.min(9, Math.max(0, -Math.floor(Math.log10(d / unit) + 1e-9)))) + word
}

function drawRulers() {
  const R = run0(),
    marks = ticks(R),
    { top, left, W } = view
  cx.fillStyle = P.panel
  cx.fillRect(0, 0, W, top)
  cx.save()
  cx.beginPath()
  cx.rect(left - 9, 0, W - left + 9, top)
  cx.clip()
  let after = -1e9
  for (const { x0, x1 } of marks.bands) {
    const wide = x1 - x0 > 2
    cx.fillStyle = wide ? P.now : P.ink3
    if (wide) roundBox(x0 - 3, 7, x1 - x0 + 6, 15, 4)
    if (wide) cx.fill()
    else cx.fillRect(x0, 9, 1.5, 12)
  }
  for (const { x0, x1, t } of marks.bands) {
    const w = x1 - x0,
      text = seconds(t),
      tw = textWidth(text, F11)
    const x = Math.min(W - tw - 5, w >= tw ? Math.max(x0, Math.min(left, x1 - tw)) : x0 + (w > 2 ? 0 : 5))
    if (x > after + 8) {
      // over the narrow bands that follow
      roundBox(x - (w > 2 ? 3 : 0), 7, tw + (w > 2 ? 8 : 5), 15, 4)
      cx.fillStyle = w > 2 ? P.now : P.panel
      cx.fill()
      write(text, x + 2, 15, F11, P.ink)
      after = x + tw
    }
  }
  for (const { x, t, d } of marks.times) {
    cx.fillStyle = P.line
    cx.fillRect(x, 20, 1, 6)
    write(tickText(t, d), x, 12, F11, P.ink, 'center')
  }
  const stepY = R.T > 0 ? 31 : top - 14
  for (const { x, s } of marks.steps) {
    cx.fillStyle = P.line
    cx.fillRect(Math.round(x), top - 7, 1, 7)
    if (view.runs.some((Q, r) => Math.abs(xOf(Q, view.play[r]) - x) < 22)) continue
    write(s.toLocaleString('en'), x, stepY, F10, P.ink3, 'center')
  }
  if (tailOf(R)) {
    const x = xOf(R, R.N)
    roundBox(x + 8, top - 23, view.tail - 8, 15, 4)
    cx.fillStyle = P.redbg
    cx.fill()
    write('and so for ever', x + 14 + (view.play[0] === R.N ? 4 : 0), top - 15, F10, P.red)
  }
  cx.restore()
  if (R.T > 0) write(R.simulated ? 'virtual time' : 'time', left - 16, 15, F10, P.ink3, 'right')
  write('step', left - 16, stepY, F10, P.ink3, 'right')
  cx.fillStyle = P.line
  cx.fillRect(0, top - 1, W, 1)
}
