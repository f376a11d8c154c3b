--- Where a source text declares, assigns and reads its variables.
--
--     local s = source.parse(text)    --> nil where it is no Lua
--     s.functions   { { first=, last=, from=, to=, parent=, loop=, parameters=, variable=, field= }, … }: lines,
--                   tokens, the function around, the name that it has
--     s.uses        all uses, in their order
--     s.globals     name -> variable;  a variable: { name=, func=, loop=, uses = { … } }; `func` is nil for a global
--     a use         { variable=, kind=, line=, at=, done=, func=, loop=, field=, method=, index=, length=,
--                     condition=, own=, returned=, sent=, passed=, alias= }, `kind` "read", "write" (x = …) or "store"
--                     (x.f = …, table.insert(x, …)); `done`: the end of the assignment; `passed`: { variable=, field=,
--                     n= }, the function that is called with it, or with what it leads to, as the n-th argument;
--                     `alias`: another variable for that
--     s.fields      { { name=, line=, at=, func=, store=, own= }, … }: every `.name`
--     s.starts      { { target = info, args = { info, … }, at=, first=, last=, func=, loop=, made= }, … }:
--                   spawn(f, …), Thread{ target = f }; its lines; `made`: a thread that somebody has to start
--
-- `own` marks what a statement reads only to change it (x = x + 1). `func` is nil in the main chunk.

local tokens = require "luasync.copies.tokens"

local set = tokens.set

local source = {}

----------------------------------------------------------------------------------------------------
-- The parser

local BINARY = set "+ - * / // % ^ & | ~ << >> .. == ~= < > <= >= and or"
local UNARY = set "- not # ~"

local Parser = {}
Parser.__index = Parser

function Parser:is(text) return self.texts[self.at] == text and self.kinds[self.at] ~= "value" end

function Parser:accept(text)
  if not self:is(text) then return false end
  self.at = self.at + 1
  return true
end

function Parser:expect(text)
  if not self:accept(text) then error { expected = text, at = self.at } end
end

function Parser:name()
  if self.kinds[self.at] ~= "name" then error { expected = "a name", at = self.at } end
  self.at = self.at + 1
  return self.texts[self.at - 1]
end

function Parser:declare(name)
  local variable = { name = name, is_local = true, func = self.func, loop = self.loop, uses = {} }
  self.scope[name] = variable
  return variable
end

function Parser:variable(name)
  local variable = self.scope[name]
  if variable then return variable end
  variable = self.s.globals[name]
  if not variable then
    variable = { name = name, uses = {} }
    self.s.globals[name] = variable
  end
  return variable
end

function Parser:use(name, kind)
  local variable = self:variable(name)
  local use = {
    variable = variable, kind = kind or "read", line = self.lines[self.at - 1], at = self.at - 1, func = self.func,
    loop = self.loop, condition = self.condition, returned = self.returned,
  }
  use.own = self.changing and self.changing.variable == variable and self.changing.kind == "write"
  variable.uses[#variable.uses + 1] = use
  self.s.uses[#self.s.uses + 1] = use
  return use
end

function Parser:inner(f)
  local outer = self.scope
  self.scope = setmetatable({}, { __index = outer })
  f()
  self.scope = outer
end

--- A body of a function: parameters, block, end.
function Parser:body(start, method)
  local func = { first = self.lines[start], from = start, parent = self.func, loop = self.loop, parameters = {} }
  local outer, loop, condition, changing, returned = self.func, self.loop, self.condition, self.changing, self.returned
  self.s.functions[#self.s.functions + 1] = func
  self.func, self.loop, self.condition, self.changing, self.returned = func, nil, nil, nil, nil
  self:inner(function()
    local parameters = 0
    local function parameter(name)
      local variable = self:declare(name)
      parameters = parameters + 1
      variable.parameter = parameters
      func.parameters[parameters] = variable
    end
    if method then parameter "self" end
    self:expect "("
    while not self:is ")" do
      if not self:accept "..." then parameter(self:name()) end
      if not self:accept "," then break end
    end
    self:expect ")"
    self:block()
  end)
  func.last, func.to = self.lines[self.at], self.at
  self:expect "end"
  self.func, self.loop, self.condition, self.changing, self.returned = outer, loop, condition, changing, returned
  return func
end

--- A table: its named fields and its items, as infos.
function Parser:constructor()
  local fields, items = {}, {}
  self:expect "{"
  while not self:is "}" do
    if self.kinds[self.at] == "name" and self.texts[self.at + 1] == "=" and self.kinds[self.at + 1] == "sign" then
      local name = self:name()
      self:expect "="
      fields[name] = self:expression()
    elseif self:accept "[" then
      self:expression()
      self:expect "]"
      self:expect "="
      self:expression()
    else
      items[#items + 1] = self:expression()
    end
    if not self:accept "," and not self:accept ";" then break end
  end
  self:expect "}"
  return { fields = fields, items = items, is_empty = next(fields) == nil and #items == 0 }
end

function Parser:list()
  local infos = {}
  repeat infos[#infos + 1] = self:expression() until not self:accept ","
  return infos
end

function Parser:arguments()
  if self:is "{" then return { self:constructor() } end
  if self.kinds[self.at] == "value" then
    self.at = self.at + 1
    return { {} }
  end
  local infos = {}
  self:expect "("
  if not self:is ")" then infos = self:list() end
  self:expect ")"
  return infos
end

local STARTS = { spawn = 1, Thread = 1, submit = 1, Timer = 2 }
local CHANGES = { insert = true, remove = true, sort = true, move = true, rawset = true }

--- What is called with these: `n` arguments stand before them.
local function pass(infos, n, variable, field)
  for i, info in ipairs(infos) do
    if info.root then info.root.passed = { variable = variable, field = field, n = n + i } end
  end
end

--- The table that a call of the library changes: its use, and which field.
local function changed_table(name, infos)
  local info = name == "move" and infos[5] or infos[1]
  local field = name == "rawset" and infos[2] and (infos[2].text or ""):match "^[\"'](.*)[\"']$"
  return info and info.root, field or nil
end

--- `name` is called with these, in an expression that begins at token `from`: a thread may be started, a table
-- changed.
function Parser:called(name, infos, from, library)
  local first = infos[1]
  local at = STARTS[name]
  if at and first then
    local start = { at = self.at - 1, func = self.func, loop = self.loop }
    start.first, start.last = self.lines[from], self.lines[start.at]
    if first.fields then
      start.target = first.fields.target
      start.args = first.fields.args and first.fields.args.items or {}
    else
      start.target, start.args = infos[at], table.move(infos, at + 1, #infos, 1, {})
    end
    for _, info in ipairs { start.target or {}, table.unpack(start.args) } do
      if info.root then info.root.sent = true end
      if info.root and not info.use then info.source = table.concat(self.texts, "", info.from, info.to) end
    end
    start.made = name == "Thread" or name == "Timer"
    self.s.starts[#self.s.starts + 1] = start
    return start
  elseif CHANGES[name] and (library == "table" or name == "rawset") then
    local use, field = changed_table(name, infos)
    if not use then return end
    use.kind, use.stored = "store", field
    use.taken = name == "remove" or name == "sort"
  end
end

--- A name, a call, a field …: { use =, last = "name" | "field" | "index" | "call", field = the last one, root = the use
-- where no call is in between, from =, to = its tokens }
function Parser:suffixed()
  local info, called, library = { from = self.at }, nil, nil
  if self:accept "(" then
    self:expression()
    self:expect ")"
    info.last = "call"
  else
    called = self:name()
    info.use = self:use(called)
    info.root = info.use
    info.last = "name"
  end
  local use = info.use
  while true do
    if self:is "." then
      self.at = self.at + 1
      library, called = called, self:name()
      info.last, info.field = "field", called
      if use and not use.field and not use.index then use.field = called end
      local field = { name = called, line = self.lines[self.at - 1], at = self.at - 1, func = self.func }
      field.own = self.changing and self.changing.kind == "store" and self.changing.field == called
      self.changed = self.changed or field.own
      self.s.fields[#self.s.fields + 1] = field
      info.field_use = field
      if use then use.own = use.own or field.own and self.changing.variable == use.variable end
    elseif self:accept "[" then
      local changing = self.changing
      self.changing = nil
      self:expression()
      self.changing = changing
      self:expect "]"
      if use and not use.field and not use.index then use.index = true end
      if use and changing and changing.kind == "store" and not changing.field and changing.variable == use.variable then
        use.own = true
      end
      info.last, called = "index", nil
    elseif self:accept ":" then
      called = self:name()
      if use and not use.field and not use.index then use.method = called end
      if called == "start" and info.start then info.start.made = false end
      local infos = self:arguments()
      pass(infos, 1, nil, called)
      self:called(called, infos, info.from)
      info.last, info.root, called = "call", nil, nil
    elseif self:is "(" or self:is "{" or self.kinds[self.at] == "value" and self.texts[self.at]:find "^[\"'%[]" then
      if use and info.last == "name" then use.calls = true end
      local changing = self.changing
      local infos = self:arguments()
      if info.last == "name" then pass(infos, 0, use and use.variable) end
      if info.last == "field" then pass(infos, 0, nil, called) end
      if called then info.start = self:called(called, infos, info.from, library) end
      if called == "pairs" or called == "ipairs" then info.over = infos[1] and infos[1].root end
      self.changing = changing
      info.last, info.root, called = "call", nil, nil
    else
      info.to = self.at - 1
      return info
    end
  end
end

function Parser:simple()
  local start = self.at
  if self.kinds[start] == "value" then
    self.at = start + 1
    return { text = self.texts[start] }
  elseif self:accept "nil" or self:accept "true" or self:accept "false" or self:accept "..." then
    return {}
  elseif self:is "{" then
    return self:constructor()
  elseif self:accept "function" then
    return { func = self:body(start) }
  end
  return self:suffixed()
end

function Parser:expression()
  local plain, length = true, false
  while self.kinds[self.at] ~= "value" and UNARY[self.texts[self.at]] do
    length = self:is "#"
    self.at, plain = self.at + 1, false
  end
  local info = self:simple()
  if length and info.use and info.last == "name" then info.use.length = true end
  while self.kinds[self.at] ~= "value" and BINARY[self.texts[self.at]] do
    self.at, plain = self.at + 1, false
    self:expression()
  end
  if not plain then return {} end
  if info.use and info.last ~= "name" then
    local field = info.last == "field" and info.field or nil
    return { start = info.start, field = field, root = info.root, from = info.from, to = info.to, over = info.over }
  end
  return info
end

----------------------------------------------------------------------------------------------------
-- Statements

--- What decides whether the loop goes on.
function Parser:asked(loop)
  local outer = self.condition
  self.condition = loop
  self:expression()
  self.condition = outer
end

function Parser:in_loop(f)
  local outer = self.loop
  self.loop = { parent = outer, from = self.at, line = self.lines[self.at] }
  f(self.loop)
  self.loop.to, self.loop.last = self.at - 1, self.lines[self.at - 1]
  self.loop = outer
end

local statements = {}

function statements:block_of_do()
  self:inner(function() self:block() end)
  self:expect "end"
end
statements["do"] = statements.block_of_do

statements["while"] = function(self)
  self:in_loop(function(loop)
    self:asked(loop)
    self:expect "do"
    statements.block_of_do(self)
  end)
end

statements["repeat"] = function(self)
  self:in_loop(function(loop)
    self:inner(function()
      self:block()
      self:expect "until"
      self:asked(loop)
    end)
  end)
end

statements["if"] = function(self)
  repeat
    self:asked { from = self.at, line = self.lines[self.at], once = true }
    self:expect "then"
    self:inner(function() self:block() end)
  until not self:accept "elseif"
  if self:accept "else" then self:inner(function() self:block() end) end
  self:expect "end"
end

statements["for"] = function(self)
  local names = {}
  repeat names[#names + 1] = self:name() until not self:accept ","
  if not self:accept "=" then self:expect "in" end
  local infos = self:list()
  self:expect "do"
  self:in_loop(function()
    self:inner(function()
      for i, name in ipairs(names) do
        local variable = self:declare(name)
        if i == 2 and infos[1].over then infos[1].over.alias = variable end
      end
      self:block()
    end)
    self:expect "end"
  end)
end

statements["function"] = function(self)
  local start = self.at - 1
  local use = self:use(self:name())
  local field, method
  while not method and (self:is "." or self:is ":") do
    method = self:is ":"
    self.at = self.at + 1
    field = self:name()
    if not method then use.field = use.field or field end
  end
  use.kind = field and "store" or "write"
  use.defines = true
  local func = self:body(start, method)
  func.field = field
  if not field then func.variable = use.variable end
end

statements["local"] = function(self)
  local start = self.at
  if self:accept "function" then
    local variable = self:declare(self:name())
    self:body(start).variable = variable
    return
  end
  local names, infos = {}, {}
  repeat
    names[#names + 1] = self:name()
    if self:accept "<" then
      self:name()
      self:expect ">"
    end
  until not self:accept ","
  if self:accept "=" then infos = self:list() end
  for i, name in ipairs(names) do
    local variable = self:declare(name)
    variable.line = self.lines[start]
    variable.made = infos[i]
    if infos[i] and infos[i].func then infos[i].func.variable = variable end
    if infos[i] and infos[i].root then infos[i].root.alias = variable end
  end
end

statements["return"] = function(self)
  if not (self:is "end" or self:is "else" or self:is "elseif" or self:is "until" or self:is ";"
      or self.kinds[self.at] == "end") then
    self.returned = true
    self:list()
    self.returned = nil
  end
  self:accept ";"
end

statements["goto"] = function(self) self:name() end
statements["break"] = function() end

--- What an assignment changes.
local function mark(info)
  local use = info.use
  if info.field_use then info.field_use.store = true end
  if not use then return end
  use.kind = info.last == "name" and "write" or "store"
  use.stored = info.field
end

function Parser:assignment()
  local targets = { self:suffixed() }
  if not self:is "=" and not self:is "," then return end
  while self:accept "," do targets[#targets + 1] = self:suffixed() end
  self:expect "="
  for _, info in ipairs(targets) do mark(info) end
  local first = targets[1]
  local kind = first.use and first.use.kind or "store"
  self.changed = false
  self.changing = { variable = first.use and first.use.variable, kind = kind, field = first.field }
  local infos = self:list()
  self.changing = nil
  for i, info in ipairs(targets) do
    if info.use then info.use.done = self.at end
    if info.field_use then info.field_use.updates = self.changed end
    if infos[i] and info.last == "name" then
      info.use.variable.made = info.use.variable.made or infos[i]
      if infos[i].func then infos[i].func.variable = info.use.variable end
    end
  end
end

function Parser:statement()
  local text = self.texts[self.at]
  if self:accept ";" then return end
  if self:accept "::" then
    self:name()
    self:expect "::"
  elseif self.kinds[self.at] == "word" and statements[text] then
    self.at = self.at + 1
    statements[text](self)
  else
    self:assignment()
  end
end

local CLOSING = set "end else elseif until"

function Parser:block()
  while self.kinds[self.at] ~= "end" and not (self.kinds[self.at] == "word" and CLOSING[self.texts[self.at]]) do
    self:statement()
  end
end

function source.parse(text)
  local texts, kinds, lines = tokens.read((text:gsub("^#[^\n]*", "")))
  if not texts then return nil end
  local s = { functions = {}, uses = {}, globals = {}, fields = {}, starts = {} }
  local parser = setmetatable({ s = s, texts = texts, kinds = kinds, lines = lines, at = 1, scope = {} }, Parser)
  local ok, problem = pcall(parser.block, parser)
  if not ok and type(problem) ~= "table" then error(problem, 0) end
  return ok and kinds[parser.at] == "end" and s or nil
end

return source
