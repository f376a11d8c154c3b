// Find: text, thread, object, value or line in the sentences of all steps.

const findField = $('find')
let foundText = ''

// The sentences are made in idle time, for the first key would wait for all of them; not where they would fill memory.
const KEPT_MOST = 200000

function wordsOf(R, s) {
  const kept = R.N > KEPT_MOST ? [] : (R.words ||= [])
  return (kept[s] ??= (
    stepText(R, s) +
    ' ' +
    stepMore(R, s).join(' ') +
    ' ' +
    placeText(R, R.at[R.main[s]] ?? 0)
  ).toLowerCase())
}
function prepareFind(R, from = 1) {
  if (!window.requestIdleCallback || from > R.N || R.N > KEPT_MOST) return
  requestIdleCallback(deadline => {
    let s = from
    while (s <= R.N && deadline.timeRemaining() > 2) {
      for (const end = Math.min(R.N, s + 50); s <= end; s++) wordsOf(R, s)
    }
    prepareFind(R, s)
  })
}

// The search that goes on, a slice at a time between frames, or null. `jump`: to the next hit when it is found.
let search = null

function showHits(jump) {
  const { hits } = view,
    n = hits.length,
    more = search ? '…' : ''
  if (jump) {
    const next = hits[upper(hits, view.play[0])] ?? (more ? 0 : hits[0])
    if (search) search.jump = !next
    if (next) goTo(next)
  }
  $('hits').textContent = n || more ? (hits.indexOf(view.play[0]) + 1 || '–') + ' of ' + n + more : 'none'
  draw()
}

// For so many milliseconds; short recordings are gone through at once.
function searchOn(job) {
  if (job !== search) return
  const R = run0(),
    until = performance.now() + 12
  while (job.at < R.N && performance.now() < until) {
    for (let n = job.at ? 100 : 2000; n-- && job.at < R.N; ) {
      if (wordsOf(R, ++job.at).includes(foundText)) view.hits.push(job.at)
    }
  }
  if (job.at < R.N) setTimeout(searchOn, 0, job)
  else search = null
  showHits(job.jump)
}

function find(goOn) {
  const text = findField.value.trim().toLowerCase()
  if (!text) {
    view.hits = search = null
    $('hits').textContent = foundText = ''
    draw()
  } else {
    if (foundText !== text || !view.hits) {
      foundText = text
      view.hits = []
      searchOn((search = { at: 0 }))
    }
    if (goOn) showHits(true)
  }
}
findField.addEventListener('input', () => find(false))
