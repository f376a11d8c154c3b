// All steps as a table, 400 rows around the playhead: for screen readers, and for prints. It is kept while its dialog
// is closed too, for whoever reads the page by a tool.

const TABLE_ROWS = 400,
  COLUMNS_MOST = 6
const tableDialog = $('tableDialog')
let tableFrom = 0,
  tableTo = -1,
  tableRun = null,
  tableTimer = 0

function showTable() {
  const R = run0(),
    s = view.play[0]
  clearTimeout(tableTimer)
  const near = tableRun === R && s > tableFrom + 20 && s < tableTo - 20,
    all = tableRun === R && tableFrom === 1 && tableTo === R.N
  if (!near && !all) {
    tableFrom = Math.max(1, Math.min(s - TABLE_ROWS / 2, R.N - TABLE_ROWS))
    tableTo = Math.min(R.N, tableFrom + TABLE_ROWS)
    tableRun = R
    $('table').innerHTML = tableHtml(R, tableFrom, tableTo)
  }
  for (const row of $('table').querySelectorAll('tr.now')) {
    row.className = ''
    row.removeAttribute('aria-current')
  }
  const row = $('table').querySelector('tr[data-step="' + s + '"]')
  if (row) {
    row.className = 'now'
    row.setAttribute('aria-current', 'step')
  }
}
// Soon, when nothing else is to be done.
function showTableLater() {
  if (tableDialog.open) {
    showTable()
    return
  }
  clearTimeout(tableTimer)
  tableTimer = setTimeout(showTable, 150)
}
function tableHtml(R, from, to) {
  const columns = R.threads.length <= COLUMNS_MOST,
    rows = []
  const heads = columns
    ? R.threads.map((t, x) => badgeHtml(R, x) + ' ' + escapeHtml(shortName(t.name)))
    : ['thread', 'what']
  for (let s = from; s <= to; s++) {
    const i = R.main[s],
      x = R.th[i],
      more = stepMore(R, s),
      text = escapeHtml(eventWords(R, i)) + (more.length ? ' <b>→ ' + escapeHtml(more.join(', ')) + '</b>' : '')
    const cells = !columns
      ? '<td>' + (x >= 0 ? badgeHtml(R, x) + ' ' + escapeHtml(R.threads[x].name) : '') + '</td><td>' + text + '</td>'
      : x < 0
        ? '<td colspan="' + R.threads.length + '"><i>' + text + '</i></td>'
        : R.threads.map((_, c) => '<td>' + (c === x ? text : '') + '</td>').join('')
    rows.push(
      '<tr data-step="' +
        s +
        '"><td class="number">' +
        s +
        '</td>' +
        (R.T ? '<td class="number">' + clockText(R, R.st[s]) + '</td>' : '') +
        cells +
        '<td class="mono">' +
        escapeHtml(R.files.length > 1 ? placeText(R, R.at[i]) : lineText(R, R.at[i])) +
        '</td></tr>'
    )
  }
  const head = (word, html = word) => '<th scope="col">' + html + '</th>'
  return (
    '<table><caption class="unseen">Steps ' +
    from +
    ' to ' +
    to +
    ' of ' +
    R.N +
    '</caption><thead><tr>' +
    head('step') +
    (R.T ? head('time') : '') +
    heads.map(h => head(h)).join('') +
    head('where') +
    '</tr></thead><tbody>' +
    rows.join('') +
    '</tbody></table>' +
    (R.N > TABLE_ROWS ? '<p class="empty">' + TABLE_ROWS + ' rows around the playhead; move it to see others</p>' : '')
  )
}
function openTable() {
  showTable()
  tableDialog.showModal()
  document.querySelector('#table tr.now')?.scrollIntoView({ block: 'center' })
}
$('table').addEventListener('click', event => {
  const row = event.target.closest('tr[data-step]')
  if (row) {
    goTo(+row.dataset.step)
    tableDialog.close()
  }
})
