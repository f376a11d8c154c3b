--- Did you mean: the names that luasync has, beside one that it has not.

local names = {}

--- The best of `candidates` for `wrong`, or nil where none is near.
function names.nearest(wrong, candidates)
  local distance = require "luasync.reference".distance
  local best, least
  for _, name in ipairs(candidates) do
    local far = distance(wrong:lower(), name:lower())
    if far <= math.max(1, #wrong // 3) and (not least or far < least) then best, least = name, far end
  end
  return best
end

--- The names among the keys of `t`, sorted.
function names.keys(t)
  local list = {}
  for name in next, t do
    if type(name) == "string" and name:find "^%a" then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

--- Methods and properties of a kind; of all kinds where `kind` is nil. Their entries stand under their names.
function names.members(kind)
  local reference = require "luasync.reference"
  local list, entries = {}, {}
  for _, full in ipairs(reference.names()) do
    local owner, member = full:match "^(%u%w*)[.:]([%w_]+)$"
    if owner and (not kind or owner == kind) and not entries[member] then
      list[#list + 1] = member
      entries[member] = reference.find(full)[1]
    end
  end
  return list, entries
end

local ELSEWHERE = {
  ThreadPoolExecutor = "Python's ThreadPoolExecutor(n) is %s.Pool(n)",
  start_new_thread = "Python's start_new_thread(f, args) is %s.spawn(f, ...)",
}

--- What was meant by `name`.`wrong`, where `name` is the module.
function names.of_module(context, name, wrong)
  if context.sync[wrong] == nil and ELSEWHERE[wrong] then return ELSEWHERE[wrong]:format(name) end
  local best = names.nearest(wrong, names.keys(context.sync))
  return best and ("did you mean %s.%s?"):format(name, best) or nil
end

--- What was meant by `name`.`wrong`, where `name` holds an object of `kind`, or nobody knows what.
function names.of_object(context, name, wrong, kind)
  if kind == "other" or not kind and not context.text:find("luasync", 1, true) then return nil end
  local list, entries = names.members(kind)
  local best = names.nearest(wrong, list)
  if best then
    return ("did you mean %s%s%s?"):format(name, entries[best].kind == "property" and "." or ":", best)
  end
  if kind and #list > 0 then return ("a %s has %s"):format(kind, table.concat(list, ", ")) end
end

return names
