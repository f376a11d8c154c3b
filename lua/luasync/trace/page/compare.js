// What differs: two runs one above the other, in steps. The part they share is marked, the pair that comes the other
// way round is numbered, and the playhead of one stands in the other at the same operation.

// Which runs are compared: those the recording names, or the first that fails with the first that does not.
function comparable(data) {
  if (data.compare) return data.compare
  if (data.runs.length < 2) return null
  const failed = data.runs.findIndex(isWrong),
    well = data.runs.findIndex(run => !isWrong(run))
  return failed >= 0 && well >= 0 ? { a: failed, b: well } : { a: 0, b: 1 }
}

// Whether step s of A is step q of B: the same thread does the same to the same thing.
function sameStep(A, s, B, q) {
  const i = A.main[s],
    j = B.main[q]
  if (A.th[i] !== B.th[j] || A.k[i] !== B.k[j] || A.op[i] !== B.op[j]) return false
  return (A.objects[A.ob[i]]?.name ?? '') === (B.objects[B.ob[j]]?.name ?? '')
}
// How many steps two runs begin with that are the same.
function commonPart(A, B) {
  let s = 0
  while (s < A.N && s < B.N && sameStep(A, s + 1, B, s + 1)) s++
  return s
}

// The calls of a thread, in order: [{ s, op, o }]. A wait and the operation that ends it are one; a reacquire is none.
function callsOf(R, x) {
  R.calls ||= []
  if (R.calls[x]) return R.calls[x]
  const calls = []
  let open = null
  for (const i of R.events[x]) {
    const k = R.k[i],
      op = R.op[i],
      o = R.ob[i],
      ends = open && open.op === op && open.o === o
    if (k === HANDED && ends) {
      open.handed = true
      continue
    }
    if (k === OP && ends && (!open.handed || R.b[i] === -1)) {
      open = null
      continue
    }
    if (op === O.reacquire || (k !== OP && k !== WAIT && k !== OUT && k !== END)) continue
    const call = { s: R.step[i], op: k === OUT ? O.print : k === END ? O.end : op, o }
    calls.push(call)
    open = k === WAIT ? call : null
  }
  return (R.calls[x] = calls)
}
// The step of B in which the thread of step s of A does the same call; -1: it never does.
function twinOf(A, B, s) {
  if (s === 0) return 0
  const x = A.th[A.main[s]]
  if (x < 0 || !B.threads[x]) return -1
  const calls = callsOf(A, x),
    n = calls.findLastIndex(c => c.s <= s),
    twin = callsOf(B, x)[n]
  return n >= 0 && twin && twin.op === calls[n].op ? twin.s : -1
}

// Both runs; off: back to the one before.
function showCompare(on, a, b) {
  const base = comparable(view.data)
  if (!on || !base) return pickRun(view.run)
  const named = a === undefined || (a === base.a && b === base.b)
  const c = { ...(named ? base : { a, b }) }
  const A = view.all[c.a],
    B = view.all[c.b]
  c.part ??= commonPart(A, B)
  c.pair = (c.pair || []).map(({ th, n }) => ({ th, steps: [A, B].map(R => callsOf(R, th)[n - 1]?.s ?? -1) }))
  view.compare = c
  view.runs = [A, B]
  view.play = [c.part, c.part]
  view.twin = c.part
  view.twinBefore = 0
  view.mix = view.goal = 0
  view.runs.forEach(layAxis)
  showHead()
  showSource()
  showOutput()
  resize()
  fitAll()
  goTo(c.part, true)
  axisButtons()
}

// The marks on the picture: where they part, the reversed pair, the link from one playhead to the other.
function drawCompare(off) {
  const c = view.compare
  if (!c) return
  const [A, B] = view.runs,
    x = Math.round(xOf(A, c.part)) + 0.5,
    y = view.rows[0].y + off + 12
  stroke(
    () => {
      cx.moveTo(x, view.top)
      cx.lineTo(x, view.H)
    },
    P.ink,
    1,
    [2, 3]
  )
  const text = 'the same up to here',
    w = textWidth(text, F11)
  if (x - w - 10 > view.left) write(text, x - w - 6, y, F11, P.ink2)
  write('from here on they differ', x + 6, y, F11, P.ink2)
  if (view.twin > 0 && view.play[0] > 0) {
    const thread = A.th[A.main[view.play[0]]],
      f = view.byThread[0][thread],
      g = view.byThread[1][thread]
    if (f && g) drawTwin(xOf(A, view.play[0]), xOf(B, view.twin), f, g, off)
  }
  view.runs.forEach((R, r) =>
    c.pair.forEach((p, i) => {
      const row = view.byThread[r][p.th]
      if (!row || p.steps[r] < 0) return
      const px = xOf(R, p.steps[r]) - 1,
        py = row.y + off + row.top - 1
      cx.beginPath()
      cx.arc(px, py, 8, 0, 7)
      cx.fillStyle = P.ink
      cx.fill()
      cx.strokeStyle = P.panel
      cx.lineWidth = 2
      cx.stroke()
      write(i + 1, px, py + 0.5, F11B, P.panel, 'center')
    })
  )
}
function drawTwin(a, b, f, g, off) {
  const ya = middleOf(f, off),
    yb = middleOf(g, off),
    mid = (ya + yb) / 2
  cx.lineCap = 'round'
  stroke(
    () => {
      cx.moveTo(a, ya + f.bar / 2)
      cx.bezierCurveTo(a, mid, b, mid, b, yb - g.bar / 2)
    },
    P.ink,
    1.25,
    [1, 4]
  )
  for (const [x, y, row] of [
    [a, ya, f],
    [b, yb, g],
  ]) {
    roundBox(x - 5, y - row.bar / 2 - 2, 7, row.bar + 4, 3)
    cx.lineWidth = 2
    cx.strokeStyle = P.ink
    cx.stroke()
  }
}

// The panel: the pair in words, and both schedules with the differing words dark.
function compareHtml() {
  const c = view.compare,
    [A, B] = view.runs,
    s = view.play[0]
  const words = view.runs.map(R => (R.run.schedule || '').split(' ').filter(Boolean))
  let part = 0
  while (part < words[0].length && words[0][part] === words[1][part]) part++
  const schedule = list =>
    '<div class="words">' +
    list.map((w, i) => '<i' + (i >= part ? ' class="differs"' : '') + '>' + escapeHtml(w) + '</i>').join(' ') +
    '</div>'
  const pairText = (R, r) =>
    c.pair
      .map((p, i) => ({ i, s: p.steps[r] }))
      .filter(p => p.s >= 0)
      .sort((p, q) => p.s - q.s)
      .map(
        p =>
          '<span class="tag" style="--c:var(--ink);--o:var(--panel)">' +
          (p.i + 1) +
          '</span> ' +
          escapeHtml(stepText(R, p.s).replace(/, held by .*/, ''))
      )
      .join(', then ')
  const verdict = ({ run }) => {
    const text = verdictWords(run, 'ends well')
    const mark = verdictMark(run) + escapeHtml(text[0].toUpperCase() + text.slice(1))
    return '<b' + (isWrong(run) ? ' class="wrong"' : '') + '>' + mark + ':</b> '
  }
  return (
    '<section><h2>Step ' +
    s +
    ' of the first run</h2><p class="what">' +
    (s ? badgeHtml(A, A.th[A.main[s]]) + ' ' : '') +
    escapeHtml(stepText(A, s)) +
    ' <span class="dim">' +
    (view.twin >= 0
      ? 'in the other run: step ' + view.twin + ', ' + escapeHtml(stepText(B, view.twin))
      : 'never in the other run') +
    '</span></p>' +
    '<h2>What differs</h2><p class="what">The runs are the same for ' +
    plural(c.part, 'step') +
    '.' +
    (c.pair.length ? ' Then one pair comes the other way round:' : '') +
    '</p>' +
    (c.pair.length
      ? view.runs.map((R, r) => '<p class="what small">' + verdict(R) + pairText(R, r) + '.</p>').join('')
      : '') +
    '</section>' +
    (words[0].length
      ? '<section><h2>The schedules</h2>' +
        words.map(schedule).join('') +
        '<p class="label">A word is a turn: the thread’s number, and after x how many operations it did before it ' +
        'lost the turn. Marked: where they differ.</p></section>'
      : '') +
    '<section hidden></section>'
  )
}
