--[[
  All closed gates; those that have opened by themselves are struck off the list.

  KEYS[1]  gates: the keys of closed gates

  Output   key and state (doubles: since, until) of each, one after the other
]]
local out = {}
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local state = redis.call('GET', key)
  if state then
    out[#out + 1] = key
    out[#out + 1] = state
  else
    redis.call('SREM', KEYS[1], key)
  end
end
return out
