--[[
  Closes a gate by hand.

  KEYS[1]  gates: the keys of closed gates
  KEYS[2]  the gate

  ARGV[1]  a double: ms for which it stays closed (-1: until it is opened)

  Output   1
]]
--- @include "includes/meters.lua"

local now = server_time()
local ms = struct.unpack('<d', ARGV[1])
if ms < 0 then
  redis.call('SET', KEYS[2], struct.pack('<dd', now, -1))
elseif ms > 0 then
  redis.call('SET', KEYS[2], struct.pack('<dd', now, now + ms), 'PX', ms)
end
redis.call('SADD', KEYS[1], KEYS[2])
return 1
