--[[
  The state of meters, after expired holds are freed.

  KEYS[1]  holds: attempts in flight, sorted by expiry
  KEYS[2]  the first meter; then the others

  ARGV[1]  four doubles a meter: size, span, start and end of its window (end -1: none)

  Output   doubles: 0, now (the windows are not those of now: call again), or
           1, now; for each meter: spent, held, when the oldest spend leaves (-1: none)
]]
--- @include "includes/meters.lua"
--- @include "includes/holds.lua"
--- @include "includes/runs.lua"

local now = server_time()
local out = { struct.pack('<dd', 1, now) }
for m = 2, #KEYS do
  local from, to = struct.unpack('<dd', ARGV[1], (m - 2) * 32 + 17)
  if to >= 0 and (now < from or now >= to) then
    return struct.pack('<dd', 0, now)
  end
end
sweep(KEYS[1], now)
flush(now)
load(KEYS, 2, #KEYS)
for m = 2, #KEYS do
  local size, span = struct.unpack('<dd', ARGV[1], (m - 2) * 32 + 1)
  local value = get(KEYS[m])
  local spent, held, leaves = read_meter(value, size, span, now)
  if not value then
    -- Nothing is there, or a set of runs.
    spent, leaves = read_runs(KEYS[m], size, span, now)
  end
  out[m] = struct.pack('<ddd', spent, held, leaves)
end
return table.concat(out)
