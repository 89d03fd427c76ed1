--[[
  Replaces a hold by the bill, once per attempt.

  KEYS[1]  holds: attempts in flight, sorted by expiry
  KEYS[2]  the attempt
  KEYS[3]  the fingerprint, where there is one; then the meters charged, then the lessons

  ARGV[1]  doubles: fingerprints (0, 1), outcome (0 none, 1 success, 2 failure), meters, lessons,
           ms for which a fingerprint is kept, ms for which a lesson is kept
  ARGV[2]  four doubles a meter: size, keep, till, amount (-1: 1 if it was judged a retry, -2: a repeat,
           -3: its run is seen)
  ARGV[3]  a double a lesson: its bucket (from 0)
  ARGV[4]  the run, where a meter counts runs

  Output   1, or 0 where the attempt was settled before
]]
--- @include "includes/meters.lua"
--- @include "includes/holds.lua"
--- @include "includes/runs.lua"
--- @include "includes/history.lua"

local prints, outcome, meters, lessons, print_kept, lesson_kept = struct.unpack('<dddddd', ARGV[1])
local first_meter = 3 + prints
load(KEYS, 2, first_meter + meters - 1)
local state, list, at = read_attempt(get(KEYS[2]))
if state == 's' then
  return 0
end

local now = server_time()
local print = prints == 1 and get(KEYS[3])
local attempt_number, is_repeat
if list then
  attempt_number, is_repeat = list[1], list[2]
else
  attempt_number, is_repeat = read_history(print, -1)
end

if state == 'h' then
  redis.call('ZREM', KEYS[1], KEYS[2])
  move_hold(list, -1, now)
elseif state == 'x' then
  move_floors(list, -1, at, now)
end

for m = 0, meters - 1 do
  local size, keep, till, amount = struct.unpack('<dddd', ARGV[2], m * 32 + 1)
  if amount == -1 then
    amount = attempt_number > 0 and 1 or 0
  elseif amount == -2 then
    amount = is_repeat
  end
  if amount == -3 then
    mark_run(KEYS[first_meter + m], ARGV[4], size, keep, till, now)
  else
    spend(KEYS[first_meter + m], size, keep, till, now, amount, now)
  end
end
flush(now)

-- A release (no charges, no outcome) leaves no mark: the same attempt may still be judged or billed.
if meters > 0 or outcome > 0 then
  redis.call('SET', KEYS[2], 's', 'PX', SETTLED_KEPT)
else
  redis.call('DEL', KEYS[2])
end

if prints == 1 and outcome == 1 then
  redis.call('SET', KEYS[3], struct.pack('<dd', 1, 0), 'PX', print_kept)
elseif prints == 1 and outcome == 2 then
  local failures = print and select(2, struct.unpack('<dd', print)) or 0
  redis.call('SET', KEYS[3], struct.pack('<dd', 0, failures + 1), 'PX', print_kept)
end

for l = 0, lessons - 1 do
  local key = KEYS[first_meter + meters + l]
  local from = struct.unpack('<d', ARGV[3], l * 8 + 1) * 8
  local count = redis.call('GETRANGE', key, from, from + 7)
  count = #count == 8 and struct.unpack('<d', count) or 0
  redis.call('SETRANGE', key, from, struct.pack('<d', count + 1))
  redis.call('PEXPIRE', key, lesson_kept)
end
return 1
