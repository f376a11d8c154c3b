// Find: text, thread, object, value or line in the sentences of all steps.

const findField = $('find')
let foundText = ''

// The sentences are made in idle time, for the first key would wait for all of them.
function wordsOf(R, s) {
  return ((R.words ||= [])[s] ??= (
    stepText(R, s) +
    ' ' +
    stepMore(R, s).join(' ') +
    ' ' +
    placeText(R, R.at[R.main[s]] ?? 0)
  ).toLowerCase())
}
function prepareFind(R, from = 1) {
  if (!window.requestIdleCallback || from > R.N) return
  requestIdleCallback(deadline => {
    let s = from
    while (s <= R.N && deadline.timeRemaining() > 2) {
      for (const end = Math.min(R.N, s + 50); s <= end; s++) wordsOf(R, s)
    }
    prepareFind(R, s)
  })
}

function find(goOn) {
  const text = findField.value.trim().toLowerCase(),
    R = run0()
  if (!text) {
    view.hits = null
    $('hits').textContent = ''
    foundText = ''
    draw()
    return
  }
  if (foundText !== text || !view.hits) {
    foundText = text
    view.hits = []
    for (let s = 1; s <= R.N; s++) if (wordsOf(R, s).includes(text)) view.hits.push(s)
  }
  if (goOn && view.hits.length) {
    const i = upper(view.hits, view.play[0])
    goTo(view.hits[i < view.hits.length ? i : 0])
  }
  $('hits').textContent = view.hits.length
    ? (view.hits.indexOf(view.play[0]) + 1 || '–') + ' of ' + view.hits.length
    : 'none'
  draw()
}
findField.addEventListener('input', () => find(false))
