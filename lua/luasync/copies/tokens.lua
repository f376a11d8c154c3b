--- The tokens of a source text, as a parser wants them: signs of two and three characters are one token.

local words = require "luasync.repl.chunk".tokens

local tokens = {}

--- The words of a text as a set.
function tokens.set(list)
  local t = {}
  for word in list:gmatch "%S+" do t[word] = true end
  return t
end

local KEYWORD = tokens.set [[and break do else elseif end false for function goto if in local nil not or repeat
  return then true until while]]
local PAIR = tokens.set "== ~= <= >= // << >> .."

--- The tokens as lists: text, kind ("name", "word", "sign", "value", "end") and line.
function tokens.read(text)
  local texts, kinds, lines = {}, {}, {}
  local n, last, line, counted = 0, nil, 1, 1
  for start, stop, kind, token in words(text) do
    if not stop then return nil end
    local _, breaks = text:sub(counted, start - 1):gsub("\n", "")
    line, counted = line + breaks, start
    if kind == "sign" and last == start and (PAIR[texts[n] .. token] or texts[n] == ".." and token == ".") then
      texts[n] = texts[n] .. token
    else
      n = n + 1
      texts[n], lines[n] = token, line
      kinds[n] = kind == "name" and KEYWORD[token] and "word" or kind == "name" and "name"
        or kind == "sign" and "sign" or "value"
    end
    last = kind == "sign" and stop + 1 or nil
  end
  texts[n + 1], kinds[n + 1], lines[n + 1] = "", "end", line
  return texts, kinds, lines
end

return tokens
