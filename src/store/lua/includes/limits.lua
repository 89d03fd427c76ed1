-- Limits: one hash, into which people and their programs may write too. A field is `quota|tenant=acme`; a value is a
-- whole number (nano-dollars or a count) or `unlimited`. What is neither counts as not kept.

local MOST = 9007199254740991

-- The limits in these fields (ARGV from `first` on), in order; nil where none is kept.
local function read_limits(key, first, count)
  -- Should the key hold something else than a hash, no limit is kept.
  local list = redis.pcall('HMGET', key, unpack(ARGV, first, first + count - 1))
  local kept = {}
  for i = 1, count do
    local text = list[i]
    if text == 'unlimited' then
      kept[i] = math.huge
    elseif text and #text <= 16 and string.find(text, '^%d+$') and tonumber(text) <= MOST then
      kept[i] = tonumber(text)
    end
  end
  return kept
end

local function pack_limits(kept, count)
  local out = {}
  for i = 1, count do
    out[i] = struct.pack('<d', kept[i] or -1)
  end
  return table.concat(out)
end
