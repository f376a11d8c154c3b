// The canvas and what is drawn with: colours of the theme, texts that fit, hatches, badges.

const $ = id => document.getElementById(id)
const canvas = $('picture'),
  cx = canvas.getContext('2d')

const FONT = '"Inter","Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif'
const F10 = '10px ' + FONT,
  F11 = '11px ' + FONT,
  F11B = '600 11px ' + FONT,
  F12B = '600 12.5px ' + FONT,
  FTAG = '700 10.5px ' + FONT

// What is in view, and where. `runs` are those drawn (two when they are compared), `play` the step of the playhead in
// each, `rows` what stands where (paint.js).
const view = {
  all: [],
  runs: [],
  rows: [],
  byThread: [],
  play: [],
  run: 0,
  step: 0,
  mix: 0,
  goal: 0, // the axis: 0 steps, 1 time; and where it is moving to
  x0: 0,
  k: 10, // the left edge, in steps; pixels per step
  W: 800,
  H: 400,
  left: 176,
  top: 44,
  padRight: 26,
  tail: 0,
  dpr: 1,
  height: 0,
  off: 0,
  selected: -1,
  hover: null,
  hits: null,
  arrows: true,
  hide: new Set(),
  compare: null,
  print: false,
}
const run0 = () => view.runs[0]

let P = {} // the colours of the theme
function readColours() {
  const style = getComputedStyle(document.documentElement),
    get = name => style.getPropertyValue('--' + name).trim()
  P = { threads: [], on: [] }
  for (const name of [
    'bg',
    'panel',
    'ink',
    'ink2',
    'ink3',
    'line',
    'line2',
    'lane',
    'hatch',
    'wait',
    'red',
    'redbg',
    'now',
  ])
    P[name] = get(name)
  for (let i = 0; i < 9; i++) {
    P.threads.push(get('t' + i))
    P.on.push(get('o' + i))
  }
  P.dense = mixed(P.hatch, P.panel, 0.45)
  P.hatched = hatch(P.hatch, P.wait, 7, 1.3)
  P.hatchedRed = hatch(P.red, P.redbg, 7, 1.5)
  P.hatchedThin = hatch(P.hatch, P.panel, 5, 1)
}
// Main is grey; the others take turns on eight colours.
const slot = x => (x === 0 ? 0 : 1 + ((x - 1) % 8))
const colourOf = x => (x < 0 ? P.ink2 : P.threads[slot(x)])
const onColour = x => (x < 0 ? P.panel : P.on[slot(x)])
const cssColour = x => (x < 0 ? 'var(--ink2)' : 'var(--t' + slot(x) + ')')

// Colour a with the share f, b with the rest; both as #rgb or #rrggbb.
function mixed(a, b, f) {
  const parts = c => [1, 3, 5].map(i => parseInt(c.length === 4 ? c[(i + 1) / 2].repeat(2) : c.slice(i, i + 2), 16))
  const p = parts(a),
    q = parts(b)
  return 'rgb(' + p.map((v, i) => Math.round(v * f + q[i] * (1 - f))).join() + ')'
}

function hatch(ink, ground, distance, width) {
  const tile = document.createElement('canvas'),
    scale = 2
  tile.width = tile.height = distance * scale
  const g = tile.getContext('2d')
  g.scale(scale, scale)
  g.fillStyle = ground
  g.fillRect(0, 0, distance, distance)
  g.strokeStyle = ink
  g.lineWidth = width
  g.beginPath()
  for (let i = -1; i < 2; i++) {
    g.moveTo(i * distance - 1, distance + 1)
    g.lineTo(i * distance + distance + 1, -1)
  }
  g.stroke()
  const pattern = cx.createPattern(tile, 'repeat')
  pattern.unit = 1 / scale
  return pattern
}

function roundBox(x, y, w, h, r) {
  cx.beginPath()
  cx.roundRect(x, y, w, h, Math.min(r, w / 2, h / 2))
}
// The hatch moves with the picture.
function fillPattern(pattern, x, y, w, h, r) {
  pattern.setTransform(new DOMMatrix([pattern.unit, 0, 0, pattern.unit, (-view.x0 * view.k) % 7, 0]))
  roundBox(x, y, w, h, r)
  cx.fillStyle = pattern
  cx.fill()
}

const widths = new Map()
function textWidth(text, font) {
  const key = font + text
  let w = widths.get(key)
  if (w === undefined) {
    if (widths.size > 20000) widths.clear()
    cx.font = font
    widths.set(key, (w = cx.measureText(text).width))
  }
  return w
}
// As much of the text as fits into w pixels, with an ellipsis; or ''.
function fitText(text, w, font) {
  const full = textWidth(text, font)
  if (full <= w) return text
  let n = Math.floor((text.length * w) / full)
  while (n > 2 && textWidth(text.slice(0, n) + '…', font) > w) n--
  return n > 2 ? text.slice(0, n) + '…' : ''
}
function write(text, x, y, font, colour, align = 'left') {
  cx.font = font
  cx.fillStyle = colour
  cx.textAlign = align
  cx.fillText(text, x, y)
  cx.textAlign = 'left'
}
// Text on a plate of the ground's colour, at most `most` wide.
function plate(text, x, y, font, colour, ground, most) {
  text = fitText(text, most, font)
  if (!text) return
  cx.fillStyle = ground
  cx.fillRect(x - 3, y - 6.5, textWidth(text, font) + 6, 13)
  write(text, x, y + 0.5, font, colour)
}
// A name in a box, its middle at x, y.
function nameBox(text, x, y, colour, ground) {
  const w = textWidth(text, F11B)
  roundBox(x - w / 2 - 6, y - 9, w + 12, 18, 4)
  cx.fillStyle = ground
  cx.fill()
  cx.strokeStyle = colour
  cx.lineWidth = 1.25
  cx.stroke()
  write(text, x - w / 2, y + 0.5, F11B, colour)
}
// The badge of thread x; form: 'full', 'hollow', 'gone'. Returns its width.
function badge(R, x, px, py, form, h = 16) {
  const tag = R.tag[x],
    colour = colourOf(x),
    w = Math.max(h, textWidth(tag, FTAG) + 8)
  roundBox(px, py - h / 2, w, h, h / 2)
  cx.lineWidth = 1.5
  cx.fillStyle = form === 'full' ? colour : P.panel
  cx.fill()
  if (form !== 'full') {
    cx.strokeStyle = colour
    if (form === 'gone') cx.setLineDash([2, 2])
    cx.stroke()
    cx.setLineDash([])
  }
  write(tag, px + w / 2, py + 0.5, FTAG, form === 'full' ? onColour(x) : form === 'gone' ? P.ink3 : P.ink, 'center')
  return w
}
// A line with a head: path() draws it; halo: the ground shows beside it.
function stroke(path, colour, width, dash = []) {
  cx.strokeStyle = colour
  cx.lineWidth = width
  cx.setLineDash(dash)
  cx.beginPath()
  path()
  cx.stroke()
  cx.setLineDash([])
}
function triangle(x0, y0, x1, y1, x2, y2, colour) {
  cx.beginPath()
  cx.moveTo(x0, y0)
  cx.lineTo(x1, y1)
  cx.lineTo(x2, y2)
  cx.fillStyle = colour
  cx.fill()
}
// A badge in html; its form says what the thread does.
const FORMS = { [READY]: ' hollow', [SLEEPS]: ' hollow', [WAITS]: ' hatched', [NONE]: ' gone', [ENDED]: ' gone' }
function badgeHtml(R, x, state = RUNS) {
  return (
    '<span class="tag' +
    (FORMS[state] || '') +
    '" style="--c:' +
    cssColour(x) +
    ';--o:var(--o' +
    (x < 0 ? 0 : slot(x)) +
    ')" title="' +
    escapeHtml(threadName(R, x)) +
    '">' +
    escapeHtml(R.tag[x] ?? '·') +
    '</span>'
  )
}
