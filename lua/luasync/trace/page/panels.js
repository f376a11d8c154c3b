// The panels in words: the head, and the state of threads and objects at the playhead.

function showHead() {
  const R = run0(),
    { run } = R,
    verdict = verdictOf(run),
    bad = isWrong(run),
    both = !!view.compare
  const objects = R.used.filter(Boolean).length,
    title = visible(R.files[0]?.name ?? view.data.program ?? 'timeline')
  $('title').textContent = title
  document.title = title + ' · luasync timeline'
  $('badge').className = 'badge' + (bad && !both ? ' bad' : '')
  $('badge').textContent = both ? '2 runs' : verdictMark(run) + verdictWords(run, 'ended well')
  $('facts').textContent = [
    run.world === 'real' ? 'real time' : run.seed != null ? 'seed ' + run.seed : run.title,
    plural(R.threads.length, 'thread'),
    plural(objects, 'object'),
    plural(R.N, 'step'),
    R.T ? seconds(R.T) : '',
    run.lost ? 'the first ' + run.lost.toLocaleString('en') + ' events are lost' : '',
    R.N ? '' : 'nothing was recorded',
  ]
    .filter(Boolean)
    .join(' · ')
  $('command').textContent = visible(run.command ?? '')
  $('replay').hidden = !run.command
  $('verdict').hidden = !bad || both
  $('verdictKind').textContent = verdict.kind[0].toUpperCase() + verdict.kind.slice(1) + '.'
  $('verdictText').textContent = verdict.text ?? ''
  $('verdictSentence').textContent = verdict.sentence ?? ''
  $('runs').innerHTML = runTabs()
}
// A tab for each run, and for what differs; of more than two runs any two can be chosen.
function runTabs() {
  if (view.all.length < 2) return ''
  const tabs = view.all.map(
    ({ run }, i) =>
      '<button data-run="' +
      i +
      '" aria-pressed="' +
      (!view.compare && i === view.run) +
      '">' +
      verdictMark(run) +
      escapeHtml(run.title ?? 'run ' + (i + 1)) +
      '</button>'
  )
  tabs.push('<button id="compare" aria-pressed="' + !!view.compare + '">⇅ What differs</button>')
  if (view.compare && view.all.length > 2) {
    const options = chosen =>
      view.all
        .map(
          ({ run }, i) =>
            '<option value="' +
            i +
            '"' +
            (i === chosen ? ' selected' : '') +
            '>' +
            verdictMark(run) +
            escapeHtml(run.title ?? '') +
            '</option>'
        )
        .join('')
    tabs.push(
      '<select data-side="a" aria-label="First run">' +
        options(view.compare.a) +
        '</select><select data-side="b" aria-label="Second run">' +
        options(view.compare.b) +
        '</select>'
    )
  }
  return tabs.join('')
}

function showState() {
  if (view.compare) {
    $('state').innerHTML = compareHtml()
    return
  }
  const R = run0(),
    s = view.play[0],
    e = R.last[s],
    event = R.main[s],
    x = event >= 0 ? R.th[event] : -1,
    more = s ? stepMore(R, s) : []
  const graph = R.run.verdict?.circle
    ? '<section><h2>Who waits for whom</h2>' + graphHtml(R, e) + '</section>'
    : '<section hidden></section>'
  $('state').innerHTML =
    '<section><h2>Step ' +
    s.toLocaleString('en') +
    '</h2><p class="what">' +
    (x >= 0 ? badgeHtml(R, x) + ' ' : '') +
    escapeHtml(stepText(R, s)) +
    (more.length ? ' <b>→ ' + escapeHtml(more.join(', ')) + '</b>' : '') +
    ' <span class="place">' +
    escapeHtml(event >= 0 ? placeText(R, R.at[event]) : '') +
    '</span></p>' +
    '<h2>Threads</h2><div class="rows">' +
    threadRows(R, e, x, s) +
    '</div></section>' +
    '<section data-part="objects"><h2>Objects</h2><div class="rows objects">' +
    objectRows(R, e, event, s) +
    '</div></section>' +
    graph
}
const MANY = 40
function threadRows(R, e, x, s) {
  const touched = new Set([x])
  if (s) for (let i = R.main[s]; i <= R.last[s]; i++) if (R.k[i] === WAKE) touched.add(R.a[i])
  const many = R.threads.length > MANY,
    rows = []
  R.threads.forEach(({ name }, i) => {
    if (view.hide.has('t' + i) || (many && !touched.has(i) && i !== view.selected && i > 11)) return
    const d = doing(R, i, e),
      holds = holdsAt(R, i, e),
      p = currentPlace(R, i, e)
    const since =
      (d.state === WAITS || d.state === SLEEPS) && R.T && d.since != null ? ', since ' + clockText(R, d.since) : ''
    const line =
      p && d.state !== ENDED && d.state !== NONE ? ' <span class="mono">' + escapeHtml(lineText(R, p)) + '</span>' : ''
    rows.push(
      '<div class="row' +
        (touched.has(i) ? ' hot' : '') +
        (R.lost && d.state === NONE ? ' pale' : '') +
        '">' +
        badgeHtml(R, i, d.state) +
        '<span class="name" title="' +
        escapeHtml(name) +
        '">' +
        escapeHtml(shortName(name)) +
        '</span><span class="text">' +
        escapeHtml(d.text) +
        since +
        line +
        (holds.length
          ? ' · holds <b>' + holds.map(h => escapeHtml(objectName(R, h.ob))).join('</b>, <b>') + '</b>'
          : '') +
        '</span></div>'
    )
  })
  if (many && rows.length < R.threads.length)
    rows.push(
      '<p class="empty">' + plural(R.threads.length - rows.length, 'more thread') + ': choose one in its lane</p>'
    )
  return rows.join('')
}
// What is shown of a thread's place: where it acted last, or, preempted, what it is about to do.
function currentPlace(R, x, e) {
  const d = doing(R, x, e)
  if (d.state === READY && d.ev >= 0 && R.k[d.ev] === YIELD && R.at[d.ev]) return R.at[d.ev]
  return R.line[x].value(e, 0)
}
function objectRows(R, e, event, s) {
  const touched = new Set()
  if (s)
    for (let i = event; i <= R.last[s]; i++)
      if (R.k[i] === OP || R.k[i] === WAIT || R.k[i] === HANDED || R.k[i] === MOVED) touched.add(R.ob[i])
  return R.order
    .filter(o => !view.hide.has('o' + o))
    .slice(0, 300)
    .map(
      o =>
        '<div class="row' +
        (touched.has(o) ? ' hot' : '') +
        '"><span class="name" title="' +
        escapeHtml(objectName(R, o)) +
        '">' +
        escapeHtml(objectName(R, o)) +
        '</span><span class="text">' +
        objectHtml(R, o, e, event) +
        '</span></div>'
    )
    .join('')
}

// The same as a value, for tools: window.luasync.state().
const STATE_WORDS = ['not started', 'running', 'ready', 'waiting', 'sleeping', 'ended']
function stateValue() {
  const R = run0(),
    s = view.play[0],
    e = R.last[s]
  return {
    step: s,
    threads: R.run.threads.map(({ name }, x) => {
      const d = doing(R, x, e),
        place = R.places[currentPlace(R, x, e)],
        waits = d.state === WAITS && d.ev >= 0
      return {
        name,
        state: R.lost && d.state === NONE ? 'not recorded' : STATE_WORDS[d.state],
        waitsFor: waits ? objectName(R, R.ob[d.ev]) || spoken(R.op[d.ev]) : null,
        holds: holdsAt(R, x, e).map(h => objectName(R, h.ob)),
        line: place && place[0] >= 0 ? place[1] : null,
      }
    }),
    objects: R.order.map(o => ({ name: objectName(R, o), text: plainText(objectHtml(R, o, e, R.main[s])) })),
  }
}
