--[[
  A heartbeat: the holder of an attempt lives. What had expired is held again.

  KEYS[1]  holds: attempts in flight, sorted by expiry
  KEYS[2]  the attempt

  ARGV[1]  doubles: hold ms, then a new floor for each meter of the hold (none: they stay)

  Output   1, or 0 where the attempt is not known
]]
--- @include "includes/meters.lua"
--- @include "includes/holds.lua"

local now = server_time()
local state, list, at = read_attempt(redis.call('GET', KEYS[2]))
if not list then
  return 0
end
local hold_ms = struct.unpack('<d', ARGV[1])
if state == 'x' then
  move_floors(list, -1, at, now)
  move_hold(list, 1, now)
  flush(now)
else
  for i = 3, #list, 6 do
    if list[i + 2] > 0 then
      redis.call('PEXPIRE', list[i], list[i + 2])
    end
  end
end
for i = 3, #list, 6 do
  local from = (i - 3) / 6 * 8 + 9
  if list[i + 4] > 0 and from + 7 <= #ARGV[1] then
    list[i + 5] = struct.unpack('<d', ARGV[1], from)
  end
end
redis.call('SET', KEYS[2], 'h' .. cmsgpack.pack(list))
redis.call('ZADD', KEYS[1], now + hold_ms, KEYS[2])
return 1
