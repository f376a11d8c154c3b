// The whole run in one strip, with the part in view; up to twelve threads a line each, more as one chart.

const strip = $('strip'),
  stripContext = strip.getContext('2d'),
  STRIP_HEIGHT = 34
let stripPicture = null

// What share of pixel px thread x runs; .22 where it waits all the time. `at` remembers where the pixel before was.
function shareOf(R, x, px, x0, x1, at) {
  const track = R.seg[x],
    sums = R.sums[x],
    w = ((px + 1 - x0) / (x1 - x0)) * axisEnd(),
    a = at[x]
  if (!track.s.length || w < R.X[track.s[0]]) return 0
  const b = upperXFrom(R, track.s, w, a)
  at[x] = Math.max(0, b - 1)
  if (b - a > 1) {
    const end = b < track.s.length ? track.s[b] : R.N
    const ran = (1 - R.m) * (sums.steps[b] - sums.steps[a]) + R.m * (sums.time[b] - sums.time[a]) * R.perTime
    return ran / Math.max(1e-9, R.X[end] - R.X[track.s[a]])
  }
  const state = b > 0 ? track.v[b - 1] : NONE
  return state === RUNS ? 1 : state === WAITS ? 0.22 : 0
}

function paintStrip(g) {
  const R = run0(),
    n = R.threads.length,
    x0 = view.left,
    x1 = view.stripW - view.padRight,
    H = STRIP_HEIGHT,
    at = new Int32Array(n)
  g.fillStyle = P.bg
  g.fillRect(0, 0, view.stripW, H)
  if (n <= 12) {
    const h = Math.min(5, (H - 8) / n),
      top = (H - n * h) / 2
    for (let x = 0; x < n; x++) {
      g.fillStyle = colourOf(x)
      for (let px = x0; px < x1; px++) {
        const share = shareOf(R, x, px, x0, x1, at)
        if (share > 0) {
          g.globalAlpha = Math.max(0.15, Math.min(1, share))
          g.fillRect(px, top + x * h, 1, h - 1)
        }
      }
    }
    g.globalAlpha = 1
    return
  }
  g.fillStyle = P.line
  g.fillRect(x0, 4, x1 - x0, H - 8)
  g.fillStyle = P.ink2
  for (let px = x0; px < x1; px++) {
    let running = 0
    for (let x = 0; x < n; x++) {
      const share = shareOf(R, x, px, x0, x1, at)
      if (share !== 0.22) running += share
    }
    const h = (running / n) * (H - 8)
    g.fillRect(px, H - 4 - h, 1, h)
  }
}

function drawStrip() {
  const W = view.stripW,
    H = STRIP_HEIGHT,
    { left } = view
  if (view.stripDirty || !stripPicture) {
    stripPicture = document.createElement('canvas')
    stripPicture.width = strip.width
    stripPicture.height = strip.height
    const g = stripPicture.getContext('2d')
    g.scale(view.dpr, view.dpr)
    paintStrip(g)
    view.stripDirty = false
  }
  const g = stripContext,
    scale = (W - left - view.padRight) / axisEnd()
  g.setTransform(1, 0, 0, 1, 0, 0)
  if (stripPicture.width && stripPicture.height) g.drawImage(stripPicture, 0, 0)
  g.setTransform(view.dpr, 0, 0, view.dpr, 0, 0)
  const a = Math.max(left - 4, left + view.x0 * scale),
    b = Math.min(W - view.padRight + 8, left + place0(view.W) * scale)
  g.fillStyle = P.panel
  g.globalAlpha = 0.66
  g.fillRect(left - 4, 0, a - left + 4, H)
  g.fillRect(b, 0, W - b, H)
  g.globalAlpha = 1
  g.strokeStyle = P.ink2
  g.lineWidth = 1.5
  g.beginPath()
  g.roundRect(a, 2, Math.max(6, b - a), H - 4, 4)
  g.stroke()
  g.fillStyle = P.ink
  g.fillRect(left + run0().X[view.play[0]] * scale - 0.75, 0, 1.5, H)
  g.fillStyle = P.ink2
  if (view.hits) for (const s of view.hits.slice(0, 3000)) g.fillRect(left + run0().X[s] * scale - 0.5, H - 6, 2, 6)
  g.fillStyle = P.panel
  g.fillRect(0, 0, left - 9, H)
  g.fillStyle = P.ink3
  g.font = F10
  g.textBaseline = 'middle'
  g.textAlign = 'right'
  g.fillText('whole run', left - 16, H / 2)
  g.textAlign = 'left'
}

// Dragging moves the part in view.
function dragStrip(e) {
  const scale = (view.stripW - view.left - view.padRight) / axisEnd()
  view.x0 = (e.clientX - strip.getBoundingClientRect().left - view.left) / scale - (view.W - view.left) / view.k / 2
  clampView()
  draw()
}
let stripDragged = false
strip.addEventListener('pointerdown', e => {
  strip.setPointerCapture(e.pointerId)
  stripDragged = true
  dragStrip(e)
})
strip.addEventListener('pointermove', e => {
  if (stripDragged) dragStrip(e)
})
for (const type of ['pointerup', 'pointercancel'])
  strip.addEventListener(type, () => {
    stripDragged = false
  })
