// Mouse, wheel and touch on the picture.

const tip = $('tip')
const pointers = new Map() // by id: where it is on the canvas
let drag = null,
  pinch = 0

const onCanvas = event => {
  const box = canvas.getBoundingClientRect()
  return { x: event.clientX - box.left, y: event.clientY - box.top }
}

// What is under the mouse, in words; and for a wait whom it is for, as arrows.
function hover(event) {
  const { x, y } = onCanvas(event),
    row = rowAt(y),
    before = view.hover
  view.hover = null
  const html =
    !row || y < view.top || drag
      ? ''
      : x < view.left - 9
        ? nameTip(row)
        : row.type === 'thread'
          ? threadTip(row, x)
          : row.type === 'object'
            ? objectTip(row, x)
            : ''
  if (before || view.hover) draw()
  tip.style.display = html ? 'block' : 'none'
  if (!html) return
  tip.innerHTML = html
  tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)) + 'px'
  tip.style.top = Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8) + 'px'
}
const nameTip = row =>
  row.type === 'thread'
    ? '<b>' + escapeHtml(row.R.threads[row.id].name) + '</b>'
    : row.type === 'object'
      ? '<b>' + escapeHtml(objectName(row.R, row.id)) + '</b>'
      : ''
function threadTip(row, px) {
  const { R, id: x } = row,
    track = R.seg[x],
    j = upperX(R, track.s, place0(px)) - 1,
    s = stepAt(R, px),
    name = '<b>' + escapeHtml(threadName(R, x)) + '</b> '
  if (j < 0) return name + (R.lost ? 'is not recorded here' : 'has not been started yet')
  const i = track.ev[j],
    state = track.v[j],
    s0 = track.s[j],
    isLast = j + 1 === track.s.length,
    s1 = isLast ? R.N : track.s[j + 1],
    e = Math.max(i, R.last[s0])
  const length = R.st[s1] - R.st[s0],
    next = isLast ? -1 : track.ev[j + 1],
    lines = []
  const says =
    state === WAITS || state === SLEEPS ? waitWords(R, i, e).long : [, 'runs', 'is ready', , , 'has ended'][state]
  if (state !== ENDED)
    lines.push(
      '<span class="dim">' +
        (R.T ? (length > 0 ? seconds(length) : 'no time') + ', ' : '') +
        plural(s1 - s0, 'step') +
        (i >= 0 && R.at[i] > 0 && state !== READY ? ' · ' + escapeHtml(placeText(R, R.at[i])) : '') +
        '</span>'
    )
  if (state === RUNS && s > 0 && R.th[R.main[s]] === x) lines.push(s + ': ' + escapeHtml(eventWords(R, R.main[s])))
  if (state === WAITS) {
    view.hover = { R, x, e: Math.max(i, R.last[Math.max(s0, Math.min(s, s1 - 1))]), px }
    if (next >= 0 && R.k[next] === WAKE)
      lines.push('woken by ' + escapeHtml(threadName(R, R.th[next]) + ' ' + placeText(R, R.at[next])))
    else if (isLast) lines.push('to the end of the run')
  }
  return [name + escapeHtml(says)].concat(lines).join('<br>')
}
function objectTip({ R, id }, px) {
  const s = stepAt(R, px),
    html = objectHtml(R, id, R.last[s])
  return (
    '<b>' +
    escapeHtml(objectName(R, id)) +
    '</b> at step ' +
    s +
    ': ' +
    html.replace(/<span class="tag[^>]*title="([^"]*)"[^>]*>[^<]*<\/span>/g, '$1')
  )
}

// A click in a lane goes to the nearest step of that thread; on its name chooses it.
function click(px, py) {
  const row = rowAt(py)
  if (!row) return
  const { R, id } = row
  if (px < view.left - 9) {
    if (row.type === 'thread') choose(view.selected === id ? -1 : id)
    return
  }
  let step = stepAt(R, px)
  if (row.type === 'thread') {
    view.selected = id
    const steps = R.eventSteps[id],
      events = R.events[id],
      at = upper(steps, step)
    let best = step,
      distance = 14
    for (let i = Math.max(0, at - 6); i < Math.min(steps.length, at + 6); i++) {
      const d = Math.abs(xOf(R, steps[i]) - px)
      if (R.main[steps[i]] === events[i] && d < distance) {
        distance = d
        best = steps[i]
      }
    }
    step = best
  }
  if (row.r > 0) step = Math.max(0, twinOf(R, run0(), step))
  goTo(step)
}

canvas.addEventListener('pointerdown', event => {
  const { x, y } = onCanvas(event)
  canvas.setPointerCapture(event.pointerId)
  pointers.set(event.pointerId, { x, y })
  tip.style.display = 'none'
  if (pointers.size === 1)
    drag = { x, y, x0: view.x0, top: lanes.scrollTop, moved: false, ruler: y < view.top && x > view.left - 9 }
  if (drag.ruler) goTo(stepAt(run0(), x), true)
  lanes.focus({ preventScroll: true })
})
canvas.addEventListener('pointermove', event => {
  const { x, y } = onCanvas(event)
  if (!drag) {
    hover(event)
    canvas.style.cursor = y < view.top ? 'ew-resize' : 'default'
    return
  }
  pointers.set(event.pointerId, { x, y })
  if (pointers.size === 2) {
    const [a, b] = [...pointers.values()],
      distance = Math.hypot(a.x - b.x, a.y - b.y)
    if (pinch) zoom(distance / pinch, (a.x + b.x) / 2)
    pinch = distance
    drag.moved = true
    return
  }
  if (drag.ruler) {
    goTo(stepAt(run0(), x), true)
    return
  }
  if (Math.abs(x - drag.x) + Math.abs(y - drag.y) > 4) drag.moved = true
  if (!drag.moved) return
  view.x0 = drag.x0 - (x - drag.x) / view.k
  clampView()
  lanes.scrollTop = drag.top - (y - drag.y)
  draw()
})
canvas.addEventListener('pointerup', event => {
  pointers.delete(event.pointerId)
  pinch = 0
  const ended = drag
  if (!ended) return
  if (pointers.size) {
    const [p] = pointers.values()
    Object.assign(ended, { x: p.x, y: p.y, x0: view.x0, top: lanes.scrollTop })
    return
  }
  drag = null
  if (ended.ruler) goTo(view.step)
  else if (!ended.moved) click(ended.x, ended.y)
})
canvas.addEventListener('pointercancel', event => {
  pointers.delete(event.pointerId)
  drag = null
  pinch = 0
})
canvas.addEventListener('pointerleave', () => {
  tip.style.display = 'none'
  if (view.hover) {
    view.hover = null
    draw()
  }
})
lanes.addEventListener(
  'wheel',
  event => {
    const p = onCanvas(event),
      x = Math.max(view.left, p.x)
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      event.preventDefault()
      pan(event.deltaX || event.deltaY)
      return
    }
    if (event.ctrlKey || event.metaKey || p.y < view.top || lanes.scrollHeight <= lanes.clientHeight + 1) {
      event.preventDefault()
      zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0018)), x)
    }
  },
  { passive: false }
)
lanes.addEventListener('scroll', draw)
names.addEventListener('click', event => {
  const { id, thread } = event.target.dataset
  if (thread !== undefined) choose(+id)
})
