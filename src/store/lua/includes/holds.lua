-- An attempt is one string: `s` settled; `h` and its hold; `x`, the moment of expiry (a double) and its hold.
-- A hold is a MessagePack list: attempt number, repeat (0, 1), then key, size, keep, till, amount, floor of each meter.
-- A hold has no time to live: the sorted set of holds names it until it is settled or swept.

local SETTLED_KEPT = 21600000
local EXPIRED_KEPT = 86400000
local SWEPT = 32

local function move_hold(list, sign, now)
  for i = 3, #list, 6 do
    hold(list[i], list[i + 1], list[i + 2], list[i + 3], sign * list[i + 4], now)
  end
end

local function move_floors(list, sign, at, now)
  for i = 3, #list, 6 do
    spend(list[i], list[i + 1], list[i + 2], list[i + 3], at, sign * list[i + 5], now)
  end
end

-- State, hold and moment of expiry of an attempt; nil where it is not known.
local function read_attempt(value)
  if not value then
    return nil
  end
  local state = string.sub(value, 1, 1)
  if state == 'h' then
    return 'h', cmsgpack.unpack(string.sub(value, 2))
  elseif state == 'x' then
    return 'x', cmsgpack.unpack(string.sub(value, 10)), (struct.unpack('<d', value, 2))
  end
  return 's'
end

-- Frees expired holds, a bounded number: their floors are spent, the rest returns.
local function sweep(holds, now)
  local due = redis.call('ZRANGEBYSCORE', holds, '-inf', now, 'WITHSCORES', 'LIMIT', 0, SWEPT)
  for i = 1, #due, 2 do
    local key, at = due[i], tonumber(due[i + 1])
    local value = redis.call('GET', key)
    local state, list = read_attempt(value)
    redis.call('ZREM', holds, key)
    if state == 'h' then
      move_hold(list, -1, now)
      move_floors(list, 1, at, now)
      redis.call('SET', key, 'x' .. struct.pack('<d', at) .. string.sub(value, 2), 'PX', EXPIRED_KEPT)
    end
  end
end
