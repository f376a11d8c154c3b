// The picture as a whole: which row stands where, and in which order all is drawn. Cost follows pixels, not events.

const lanes = $('lanes'),
  names = $('names'),
  main = $('main')

// Rows from top to bottom; taller where there is room.
function layRows() {
  placeRows(1)
  const room = view.roomy - view.top
  if (view.height < room && !view.compare) placeRows(Math.min(1.45, room / view.height))
}
function placeRows(stretch) {
  const rows = []
  let y = 4
  const add = row => {
    rows.push({ ...row, y })
    y += row.h
  }
  view.runs.forEach((R, r) => {
    const tight = R.threads.length > 14
    if (view.compare) add({ type: 'head', R, r, h: 24 })
    R.threads.forEach((_, x) => {
      if (view.hide.has('t' + x)) return
      const brackets = Math.min(tight ? 1 : 3, R.depth[x]),
        bar = tight ? 13 : Math.round(18 * Math.min(1.35, stretch))
      const low = view.compare ? 38 : 42,
        roomy = Math.round(Math.max(low, bar + (view.compare ? 9 : 14) + brackets * 14) * stretch)
      add({
        type: 'thread',
        R,
        r,
        id: x,
        h: tight ? 22 + brackets * 5 : roomy,
        bar,
        top: tight ? 4 : 6,
        brackets,
        tight,
      })
    })
    const objects = view.compare ? [] : R.order.filter(o => !view.hide.has('o' + o))
    if (objects.length) add({ type: 'title', R, r, h: 20, text: 'Objects' })
    for (const o of objects) add({ type: 'object', R, r, id: o, h: objectHeight(R, o) })
    if (r < view.runs.length - 1) add({ type: 'gap', R, r, h: 12 })
  })
  view.rows = rows
  view.height = y + 8
  view.byThread = view.runs.map(() => ({}))
  for (const row of rows) if (row.type === 'thread') view.byThread[row.r][row.id] = row
}
const rowAt = py => view.rows.find(row => py >= row.y + view.off && py < row.y + row.h + view.off)

// Fits everything to the window.
function resize() {
  view.dpr = window.devicePixelRatio || 1
  const narrow = innerWidth <= 900,
    high = main.clientHeight
  view.left = innerWidth < 600 ? 128 : narrow ? 160 : 184
  view.top = run0().T > 0 ? 44 : 30
  // room at the right for what lasts for ever, and for the circle that closes it
  const circle = view.runs.some(R => R.run.verdict?.circle)
  view.tail = !circle ? 0 : innerWidth < 600 ? 92 : 124
  view.padRight = !circle ? 26 : view.tail + 86
  view.roomy = narrow
    ? 0
    : high - strip.offsetHeight - $('legend').offsetHeight - Math.min(320, Math.max(190, high * 0.42))
  layRows()
  lanes.style.height = Math.min(view.height + view.top + 4, narrow ? 460 : 1e5) + 'px'
  view.W = view.print ? 1400 : lanes.clientWidth
  view.H = view.print ? view.height + view.top + 8 : lanes.clientHeight
  canvas.width = Math.round(view.W * view.dpr)
  canvas.height = Math.round(view.H * view.dpr)
  canvas.style.width = view.W + 'px'
  canvas.style.height = view.H + 'px'
  view.stripW = strip.clientWidth
  strip.width = Math.round(view.stripW * view.dpr)
  strip.height = Math.round(STRIP_HEIGHT * view.dpr)
  view.stripDirty = true
  placeNames()
}
// The names of the lanes as elements too, over those of the canvas: for screen readers and for tools. They also give
// the lanes their height.
function placeNames() {
  let html = ''
  for (const row of view.rows) {
    if (row.r > 0 || (row.type !== 'thread' && row.type !== 'object')) continue
    const name = escapeHtml(row.R[row.type + 's'][row.id].name)
    html +=
      '<button tabindex="-1" data-' +
      row.type +
      '="' +
      name +
      '" data-id="' +
      row.id +
      '" style="top:' +
      (row.y + view.top) +
      'px;height:' +
      row.h +
      'px;width:' +
      (view.left - 9) +
      'px">' +
      name +
      '</button>'
  }
  names.innerHTML = html
  for (const { dataset } of names.children) if ('thread' in dataset) dataset.thread = run0().run.threads[dataset.id].name
  names.style.height = view.height + view.top + 'px'
  canvas.style.marginBottom = -view.H + 'px'
}

function draw() {
  if (view.queued) return
  view.queued = true
  requestAnimationFrame(() => {
    view.queued = false
    paint()
  })
}
function paint() {
  const { W, H, top, left } = view
  cx.setTransform(view.dpr, 0, 0, view.dpr, 0, 0)
  cx.fillStyle = P.panel
  cx.fillRect(0, 0, W, H)
  cx.textBaseline = 'middle'
  const off = (view.off = top - (view.print ? 0 : lanes.scrollTop)),
    rows = view.rows.filter(row => row.y + row.h + off > top && row.y + off < H)
  cx.save()
  cx.beginPath()
  cx.rect(left - 9, top, W - left + 9, H - top)
  cx.clip()
  drawGrid(rows, off)
  drawPlayLines(off, 1)
  view.runs.forEach((R, r) => drawArrows(R, r, off, true))
  for (const row of rows) if (row.type === 'thread') drawThread(row, row.y + off)
  for (const row of rows) if (row.type === 'object') drawObject(row, row.y + off)
  view.runs.forEach((R, r) => drawArrows(R, r, off, false))
  drawPlayLines(off, 0.3)
  view.runs.forEach((R, r) => {
    if (R.run.verdict?.circle) drawCircle(R, r, off)
  })
  drawCompare(off)
  drawChains(off)
  cx.restore()
  if (view.tooMany && view.arrows) drawLeftOut()
  drawLabels(rows, off)
  drawRulers()
  drawPlayhead()
  drawStrip()
}
function drawGrid(rows, off) {
  for (const row of rows) {
    const y = row.y + off
    if (row.type === 'title' || row.type === 'head') {
      cx.fillStyle = P.bg
      cx.fillRect(0, y, view.W, row.h)
    } else if (row.type !== 'gap') {
      if (row.type === 'thread' && row.id === view.selected) {
        cx.fillStyle = P.lane
        cx.fillRect(0, y, view.W, row.h)
      }
      cx.fillStyle = P.line2
      cx.fillRect(0, Math.round(y + row.h) - 1, view.W, 1)
    }
  }
  cx.fillStyle = P.line2
  for (const x of ticks(run0()).lines) cx.fillRect(Math.round(x), view.top, 1, view.H)
}
// The chain of waits of what the mouse is on, else of the chosen thread.
function drawChains(off) {
  const h = view.hover
  view.runs.forEach((R, r) => {
    if (h?.R === R) drawChain(R, r, h.x, h.e, h.px, off)
    else if (!h && view.selected >= 0 && !view.compare)
      drawChain(R, r, view.selected, R.last[view.play[r]], xOf(R, view.play[r]), off)
  })
}
function drawLeftOut() {
  const text = 'arrows of this step only: zoom in for all ' + view.tooMany.toLocaleString('en'),
    w = textWidth(text, F10)
  cx.fillStyle = P.panel
  cx.fillRect(view.W - w - 18, view.H - 17, w + 14, 15)
  write(text, view.W - w - 11, view.H - 9, F10, P.ink3)
}
function drawPlayLines(off, alpha) {
  cx.globalAlpha = alpha
  view.runs.forEach((R, r) => {
    const x = Math.round(xOf(R, view.play[r])),
      rows = view.compare && view.rows.filter(row => row.r === r)
    const y0 = rows ? rows[0].y + off : view.top,
      last = rows && rows[rows.length - 1],
      y1 = rows ? last.y + last.h + off : view.H
    cx.fillStyle = P.ink
    cx.fillRect(x - 0.75, y0, 1.5, y1 - y0)
  })
  cx.globalAlpha = 1
}
function drawPlayhead() {
  const x = Math.round(xOf(run0(), view.play[0])),
    { top } = view
  if (x < view.left - 9 || x > view.W) return
  const text = view.play[0].toLocaleString('en'),
    w = textWidth(text, F11B) + 12
  roundBox(x - w / 2, top - 20, w, 16, 4)
  cx.fillStyle = P.ink
  cx.fill()
  triangle(x - 4, top - 4, x + 4, top - 4, x, top + 1, P.ink)
  write(text, x, top - 11.5, F11B, P.panel, 'center')
}

function showLegend() {
  const box = '<rect x="1" y="1.5" width="24" height="11" rx="2.5" '
  const pattern =
    '<defs><pattern id="hatching" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
    '<rect width="5" height="5" fill="var(--wait)"/><rect width="1.2" height="5" fill="var(--hatch)"/></pattern></defs>'
  const head = '<path d="M5 8l3 6 4-5z" fill="var(--t1)"/>',
    curve = 'fill="none" stroke="var(--t1)" stroke-width="1.6"'
  const entries = [
    [box + 'fill="var(--t1)"/>', 'runs'],
    [box + 'fill="none" stroke="var(--t1)" stroke-width="1.5"/>', 'ready'],
    [pattern + box + 'fill="url(#hatching)" stroke="var(--hatch)"/>', 'waits'],
    ['<path d="M2 7H25" stroke="var(--t1)" stroke-width="2" stroke-dasharray="2 4"/>', 'sleeps'],
    ['<path d="M13 0v14" stroke="var(--t1)" stroke-width="3"/>', 'ended'],
    ['<path d="M1 3v7H25V3" fill="none" stroke="var(--ink2)" stroke-width="1.5"/>', 'holds'],
    ['<circle cx="8" cy="2" r="2.2" fill="var(--t1)"/><path d="M8 2C14 4 14 7 9 11" ' + curve + '/>' + head, 'wakes'],
    ['<path d="M8 1C14 4 14 7 9 10" ' + curve + ' stroke-dasharray="1 3"/>' + head, 'starts'],
    [
      '<path d="M2 3C14 4 12 10 20 11" fill="none" stroke="var(--ink)" stroke-width="1.5" stroke-dasharray="5 3"/>' +
        '<path d="M18 7.5l7 4-7 3z" fill="var(--ink)"/>',
      'item, put → get',
    ],
    [
      '<rect x="6" y="2" width="13" height="8" rx="2" fill="var(--ink2)"/><path d="M9 8h5l-5 5z" fill="var(--ink2)"/>',
      'prints',
    ],
  ]
  $('legend').innerHTML =
    entries.map(([svg, word]) => '<span><svg>' + svg + '</svg>' + word + '</span>').join('') +
    '<div>colour = which thread, form = what it does, <b class="wrong">red</b> = what is wrong</div>'
}
