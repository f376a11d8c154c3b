-- The timeline page, driven in headless Chromium. Without Chromium these are skipped; scripts/setup.sh installs it
-- where it can be had. The page is the same whichever Lua has written it: the browser is asked once, from the host.
local support = require "spec.support"
local builder = require "spec.trace.builder"
local json = require "luasync.trace.json"
local trace = require "luasync.trace"

local function find_browser()
  for _, name in ipairs { "chromium", "chromium-browser", "google-chrome" } do
    local pipe = io.popen("command -v " .. name)
    local path = pipe:read "l"
    pipe:close()
    if path then return path end
  end
end
local browser = find_browser()

local function in_host()
  local i = 0
  while arg[i - 1] do i = i - 1 end
  return arg[i]:find "luasync$" ~= nil
end

local FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
  .. "--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --window-size=1400,900 "

local function folder()
  local pipe = io.popen "mktemp -d"
  local path = pipe:read "l"
  pipe:close()
  return path
end

-- What Chromium prints for a page, and the file that it is to make, if any. Its profile goes away with its folder.
local function browse(html, flags, made)
  local home = folder()
  support.write_file(home .. "/page.html", html)
  local pipe = io.popen(("timeout 240 %s %s --user-data-dir=%s/profile %s 'file://%s/page.html' 2>%s/log"):format(
    browser, FLAGS, home, flags:gsub("HOME", home), home, home))
  local out = pipe:read "a"
  pipe:close()
  made = made and support.read_file(home .. "/" .. made)
  os.execute("rm -rf " .. home)
  return out, made
end

-- The page with scripts before its own (errors are noted) and behind them.
local function with_driver(html, before, behind)
  local note = "window.ERRORS=[];addEventListener('error',e=>ERRORS.push(e.message));"
    .. "addEventListener('unhandledrejection',e=>ERRORS.push(String(e.reason)));"
    .. "{const say=console.error;console.error=(...a)=>{ERRORS.push(a.join(' '));say(...a)}}"
  -- under virtual time frames do not come by themselves
  before = "window.requestAnimationFrame=f=>setTimeout(()=>f(performance.now()),16);" .. before
  html = html:gsub("<style>", function() return "<script>" .. note .. before .. "</script><style>" end, 1)
  return (html:gsub("</body></html>%s*$", function() return "<script>" .. behind .. "</script></body></html>" end))
end

local function results_of(dom)
  local text = dom:match '.*<pre id="results">(.-)</pre>'
  assert(text, "the driver did not come to its end: " .. dom:sub(-2000))
  local UNESCAPED = { lt = "<", gt = ">", amp = "&", quot = '"', nbsp = "\u{A0}" }
  return assert(json.decode((text:gsub("&(%a+);", UNESCAPED))))
end

local function recorded(name) return assert(trace.read("spec/trace/recordings/" .. name .. ".json")) end
local function page(value) return assert(trace.format(value, ".html")) end

local NASTY = "</script><b data-x>\"'&;\n\t\1\u{FFFD}"

local function cases()
  local nasty = builder.new {
    threads = { "MainThread", NASTY }, objects = { { "Lock", "A" .. NASTY }, { "Queue", "q" .. NASTY } },
    file = NASTY .. ".lua", command = NASTY, text = NASTY .. "\n" .. NASTY, lines = 2,
    verdict = { kind = "error", text = NASTY, sentence = NASTY },
  }:at(1):op(0, "start", NASTY):op(0, "acquire", "A" .. NASTY, 1, 1):op(0, "put", "q" .. NASTY, 1, 1, NASTY)
    :wait(0, "join", NASTY):turn(1):wait(1, "acquire", "A" .. NASTY):turn(0):out(0, NASTY):err(0, NASTY)
  local two = builder.new { threads = { "MainThread" }, file = "a.lua" }:at(1):out(0, "x"):at(2):out(0, "y"):doc()
  two.files[2] = { name = "b.lua", path = "b.lua", text = "-- 1\n-- 2\n" }
  two.runs[1].places[3] = { 1, 2 }
  local three = recorded("philosophers").doc
  local lost = builder.new { threads = { "MainThread", "P1" }, objects = { { "Lock", "A" } }, lost = 500 }
    :at(3):turn(1):op(1, "acquire", "A", 1, 1):turn(0):out(0, "x")
  local old = recorded("philosophers").doc
  old = page(old):gsub('"version":1', '"version":9')
  local whole = page(recorded "philosophers")
  return {
    philosophers = page(recorded "philosophers"), lost_update = page(recorded "lost_update"), nasty = page(nasty:doc()),
    ["every object"] = page(builder.every_object():doc()),
    empty = page(builder.new { threads = { "MainThread" } }:doc()),
    ["1,000 threads"] = page(builder.crowd(1000):doc()), ["two files"] = page(two), ["lost events"] = page(lost:doc()),
    ["three runs"] = page((function()
      three.runs[3], three.compare = three.runs[2], nil
      return three
    end)()),
    ["another version"] = old, ["cut off"] = (whole:gsub('"events":.-</script>', '"eve</script>')),
    damaged = (whole:gsub('"threads":%[.-%]', '"threads":7', 1)),
    ["no recording"] = (whole:gsub('"luasync timeline"', '"something else"')),
  }
end

describe("the timeline page #slow", function()
  it("is one file of less than 120 KB, without a request", function()
    local html = page(builder.new { threads = { "MainThread" } }:doc())
    local code = html:gsub('id="data">.-</script>', "")
    assert.is_true(#code < 120 * 1000, #code)
    assert.is_nil(html:find 'src="' or html:find "href=\"" or html:find("@import", 1, true))
    assert.is_nil(html:gsub('xmlns="[^"]*"', ""):find "https?://")
  end)

  if not in_host() then return end

  it("does what its keys, mouse, wheel and touch promise", function()
    if not browser then return pending "chromium is not installed" end
    local html = with_driver(page(recorded "semaphore_pool"), "window.CASES=" .. json.encode(cases()) .. ";",
      support.read_file "spec/trace/page_driver.js" .. support.read_file "spec/trace/page_frames.js")
    local results = results_of((browse(html, "--virtual-time-budget=60000 --dump-dom")))
    local failed = {}
    for _, result in ipairs(results) do
      if not result.ok then failed[#failed + 1] = result.name .. ": " .. result.detail end
    end
    assert.equal("", table.concat(failed, "\n"))
    assert.is_true(#results > 120, #results)
  end)

  it("says so where the file itself is cut off, in the recording or behind it", function()
    if not browser then return pending "chromium is not installed" end
    local html = page(recorded "philosophers")
    local at = html:find('id="data">', 1, true)
    for _, length in ipairs { at + 20, #html - 100, #html } do
      local dom = browse(html:sub(1, length), "--virtual-time-budget=2000 --dump-dom")
      assert.equal(length < #html, dom:find("the page has been cut off", 1, true) ~= nil, length)
    end
  end)

  it("costs by its pixels, not by its events", function()
    if not browser then return pending "chromium is not installed" end
    local measure = [==[
      const best = f => {
        let least = 1e9
        for (let i = 0; i < 25; i++) {
          const t = performance.now()
          f(i)
          least = Math.min(least, performance.now() - t)
        }
        return least
      }
      const frames = { whole: best(i => { view.x0 = -8 / view.k + i % 3; paint() }) }
      goTo(1000)
      for (const [name, pixels] of [['middle', 1], ['near', 12]]) {
        zoom(pixels / ((view.W - view.left) * (1 / (place0(view.W) - place0(view.left)))), 700)
        frames[name] = best(i => { view.x0 += 1; paint() })
      }
      frames.step = best(i => goTo(2000 + i))
      const out = document.createElement('pre')
      out.id = 'results'
      out.textContent = JSON.stringify({ frames, n: run0().n, errors: ERRORS })
      document.body.append(out)
    ]==]
    local function cost(events)
      local html = with_driver(page(builder.busy(events, 24):doc()), "", measure)
      return results_of((browse(html, "--dump-dom")))
    end
    local few, many = cost(10000), cost(100000)
    assert.same({}, few.errors)
    assert.same({}, many.errors)
    assert.is_true(many.n >= 100000)
    for name, ms in pairs(many.frames) do
      if os.getenv "TRACE_FIGURES" then print(name, few.frames[name], ms) end
      assert.is_true(ms < 10 * (few.frames[name] + 4), ("%s: %.1f ms for 100,000 events, %.1f for 10,000"):format(
        name, ms, few.frames[name]))
    end
  end)

  it("prints", function()
    if not browser then return pending "chromium is not installed" end
    local _, pdf = browse(page(recorded "philosophers"), "--virtual-time-budget=3000 --print-to-pdf=HOME/out.pdf",
      "out.pdf")
    assert.equal("%PDF", pdf:sub(1, 4))
    assert.is_true(#pdf > 20000, #pdf)
  end)
end)
