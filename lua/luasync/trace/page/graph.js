// The wait-for graph of a deadlock: a dashed arrow waits for, a plain one is held by. Stepping back from the end its
// edges go grey one after the other: the learner sees which acquire closed it.

function graphHtml(R, e) {
  const circle = R.run.verdict.circle,
    n = circle.length * 2,
    w = Math.max(236, 26 * n),
    h = Math.max(196, 22 * n),
    r = h / 2 - 28
  const point = i => {
    const a = -Math.PI / 2 + (i * 2 * Math.PI) / n
    return [w / 2 + r * 1.18 * Math.cos(a), h / 2 + r * Math.sin(a)]
  }
  let edges = '',
    nodes = ''
  circle.forEach((x, i) => {
    const d = doing(R, x, e),
      now = d.state === WAITS && d.ev >= 0 ? R.ob[d.ev] : -1,
      o = lastWait(R, x),
      next = circle[(i + 1) % circle.length]
    const at = point(2 * i),
      thing = point(2 * i + 1),
      owner = R.objects[o]?.thread ?? ownerAt(R, o, e)
    edges += edge(at, thing, now === o, true) + edge(thing, point((2 * i + 2) % n), owner === next, false)
    nodes +=
      '<circle cx="' +
      at[0] +
      '" cy="' +
      at[1] +
      '" r="15" fill="' +
      cssColour(x) +
      '"/><text x="' +
      at[0] +
      '" y="' +
      (at[1] + 4) +
      '" text-anchor="middle" style="fill:var(--o' +
      slot(x) +
      ')">' +
      escapeHtml(R.tag[x]) +
      '</text>'
    const own = R.objects[o]?.name ?? '?',
      name = own.length > 9 ? own.slice(0, 8) + '…' : own,
      half = Math.max(15, name.length * 3.6 + 6)
    nodes +=
      '<rect x="' +
      (thing[0] - half) +
      '" y="' +
      (thing[1] - 13) +
      '" width="' +
      2 * half +
      '" height="26" rx="4" fill="var(--panel)" stroke="var(--ink2)" stroke-width="1.5"/><text x="' +
      thing[0] +
      '" y="' +
      (thing[1] + 4) +
      '" text-anchor="middle">' +
      escapeHtml(name) +
      '</text>'
  })
  const marker = (id, colour) =>
    '<marker id="' +
    id +
    '" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="6" markerHeight="6" orient="auto">' +
    '<path d="M0 0L8 4L0 8z" fill="' +
    colour +
    '"/></marker>'
  return (
    '<svg class="graph" width="' +
    w +
    '" height="' +
    h +
    '" role="img" aria-label="' +
    escapeHtml(R.run.verdict.sentence ?? 'who waits for whom') +
    '"><defs>' +
    marker('edgeRed', 'var(--red)') +
    marker('edgeGrey', 'var(--line)') +
    '</defs>' +
    edges +
    nodes +
    '</svg><div class="label">╌▸ waits for &nbsp; ─▸ held by</div>'
  )
}
function edge([x0, y0], [x1, y1], on, dashed) {
  const length = Math.hypot(x1 - x0, y1 - y0),
    ux = (x1 - x0) / length,
    uy = (y1 - y0) / length
  return (
    '<path d="M' +
    (x0 + ux * 19) +
    ' ' +
    (y0 + uy * 19) +
    'L' +
    (x1 - ux * 22) +
    ' ' +
    (y1 - uy * 22) +
    '" stroke="' +
    (on ? 'var(--red)' : 'var(--line)') +
    '" stroke-width="2" fill="none"' +
    (dashed ? ' stroke-dasharray="5 3"' : '') +
    ' marker-end="url(#' +
    (on ? 'edgeRed' : 'edgeGrey') +
    ')"/>'
  )
}
