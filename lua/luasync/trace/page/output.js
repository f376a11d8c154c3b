// What was printed and which errors came, by whom and when; lines later than the playhead are pale.

const output = $('lines'),
  OUTPUT_MOST = 2000
const printed = { shown: 0, before: 0, now: -1 }

function showOutput() {
  const R = run0()
  printed.shown = Math.min(OUTPUT_MOST, R.out.length)
  printed.before = 0
  printed.now = -1
  if (!R.out.length) {
    output.innerHTML = '<p class="empty">nothing was printed</p>'
    return
  }
  output.innerHTML =
    R.out
      .slice(0, OUTPUT_MOST)
      .map(
        (o, i) =>
          '<div class="printed later' +
          (o.error ? ' error' : '') +
          '" data-i="' +
          i +
          '"><span class="when">' +
          (R.T ? clockText(R, R.t[o.ev]).replace(' s', '') : o.s) +
          '</span><span>' +
          badgeHtml(R, o.th) +
          '</span><span class="said">' +
          o.text.replace(/\n$/, '').split('\n').map(escapeHtml).join('\n') +
          '</span></div>'
      )
      .join('') +
    (R.out.length > OUTPUT_MOST
      ? '<p class="empty">and ' + plural(R.out.length - OUTPUT_MOST, 'more line') + '</p>'
      : '')
}

// Only the lines between the old place of the playhead and the new one are touched.
function markOutput() {
  const R = run0(),
    s = view.play[0],
    n = Math.min(upper(R.outSteps, s), printed.shown),
    lines = output.children,
    { before } = printed
  for (let i = Math.min(n, before); i < Math.max(n, before); i++) lines[i].classList.toggle('later', i >= n)
  if (printed.now >= 0) lines[printed.now].classList.remove('now')
  printed.now = n > 0 && R.outSteps[n - 1] === s ? n - 1 : -1
  if (printed.now >= 0) lines[printed.now].classList.add('now')
  printed.before = n
  if (n === before || n === 0) return
  const y = lines[n - 1].offsetTop
  if (y < output.scrollTop || y > output.scrollTop + output.clientHeight - 24)
    output.scrollTop = y - output.clientHeight / 2
}
output.addEventListener('click', event => {
  const line = event.target.closest('.printed')
  if (line) goTo(run0().out[line.dataset.i].s)
})
