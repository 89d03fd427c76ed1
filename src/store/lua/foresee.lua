--[[
  What a judgement of a fingerprint would say now, and the limits kept. Writes nothing.

  KEYS[1]  limits
  KEYS[2]  the fingerprint, where there is one

  ARGV[1]  a double: the SDK's attempt number (-1: none)
  ARGV[2]  the first limit's field; then the others

  Output   doubles: 1, now, attempt number, repeat (0, 1); for each limit: the amount kept (-1: none)
]]
--- @include "includes/meters.lua"
--- @include "includes/history.lua"
--- @include "includes/limits.lua"

local limits = #ARGV - 1
local attempt_number, is_repeat = read_history(KEYS[2] and get(KEYS[2]), (struct.unpack('<d', ARGV[1])))
local out = struct.pack('<dddd', 1, server_time(), attempt_number, is_repeat)
if limits > 0 then
  out = out .. pack_limits(read_limits(KEYS[1], 2, limits), limits)
end
return out
