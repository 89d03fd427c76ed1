-- Meters as packed little-endian doubles, exact for whole numbers to 2^53:
--
--   plain    held, spent, renewed
--   rolling  held, spent, renewed, oldest bucket with spend, newest bucket, 31 buckets: bucket n is at n mod 31
--
-- They add up as in meters.ts. Here the sum is kept beside the buckets, so that a reading costs no loop, and a write is
-- one SETRANGE, which leaves the time to live as it is; `renewed` says when that was last set.
--
-- A meter's size: ms of a bucket; 0: plain; -1: counts what is in flight and never spends.
-- It is kept until `till` where that is above 0, else for `keep` ms after it was renewed, else for ever.

local RING = 31
local HEAD = 40
local EMPTY = string.rep('\0', 24)
local SLOTS = '<' .. string.rep('d', RING)
local EMPTY_RING = string.rep('\0', HEAD + RING * 8)
-- Times to live are long (a day and more): renewed once in this time, ms, they never come near their end.
local RENEW_MS = 3600000

local pack, unpack_struct, sub = struct.pack, struct.unpack, string.sub
local floor, max, min = math.floor, math.max, math.min

local function server_time()
  local time = redis.call('TIME')
  return time[1] * 1000 + floor(time[2] / 1000)
end

-- What this script has read and not yet written: every key is read and written once. False: there is no such key.
local values = {}
local found = {}
local writes = {}

local function get(key)
  local value = values[key]
  if value == nil then
    value = redis.call('GET', key)
    values[key], found[key] = value, value and true
  end
  return value
end

-- Reads many keys at once.
local function load(keys, first, last)
  if last < first then
    return
  end
  local list = redis.call('MGET', unpack(keys, first, last))
  for i = first, last do
    local value = list[i - first + 1]
    values[keys[i]], found[keys[i]] = value, value and true
  end
end

local function set(key, value, keep, till)
  values[key] = value
  writes[key] = till > 0 and -till or keep
end

local function flush(now)
  for key, kept in pairs(writes) do
    local value = values[key]
    if kept > 0 then
      if not found[key] or now - unpack_struct('<d', value, 17) > RENEW_MS then
        value = sub(value, 1, 16) .. pack('<d', now) .. sub(value, 25)
        values[key] = value
        redis.call('SET', key, value, 'PX', kept)
      else
        redis.call('SETRANGE', key, 0, value)
      end
    elseif found[key] then
      redis.call('SETRANGE', key, 0, value)
    elseif kept < 0 then
      redis.call('SET', key, value, 'PX', -kept - now)
    else
      redis.call('SET', key, value)
    end
    found[key] = true
  end
  writes = {}
end

local function bucket_at(value, bucket)
  return (unpack_struct('<d', value, HEAD + bucket % RING * 8 + 1))
end

-- The sum and the oldest bucket with spend, without the buckets before `first`.
local function advance(value, sum, oldest, newest, first)
  while oldest <= newest do
    local amount = bucket_at(value, oldest)
    if oldest >= first and amount > 0 then
      break
    end
    sum, oldest = sum - amount, oldest + 1
  end
  return sum, oldest
end

-- Spent, held, and when the oldest spend leaves a rolling window (-1: nothing is spent, or it does not roll).
local function read_meter(value, size, span, now)
  if not value then
    return 0, 0, -1
  end
  if size <= 0 then
    local held, spent = unpack_struct('<dd', value)
    return spent, held, -1
  end
  local held, sum, _, from, newest = unpack_struct('<ddddd', value)
  local spent, oldest = advance(value, sum, from, newest, floor((now - span) / size))
  return spent, held, oldest <= newest and (oldest + 1) * size + span or -1
end

-- Adds to what is held (or takes off).
local function hold(key, size, keep, till, delta, now)
  if delta == 0 or (till > 0 and till <= now) then
    return
  end
  local value = get(key)
  if not value and delta < 0 then
    return
  end
  value = value or (size > 0 and EMPTY_RING or EMPTY)
  set(key, pack('<d', max(0, unpack_struct('<d', value) + delta)) .. sub(value, 9), keep, till)
end

-- Adds to what is spent at the moment `at` (or takes off); what a rolling window has left behind is not added.
local function spend(key, size, keep, till, at, delta, now)
  if delta == 0 or size < 0 or (till > 0 and till <= now) then
    return
  end
  local value = get(key)
  if not value and delta < 0 then
    return
  end
  if size == 0 then
    value = value or EMPTY
    local held, spent = unpack_struct('<dd', value)
    set(key, pack('<dd', held, max(0, spent + delta)) .. sub(value, 17), keep, till)
    return
  end
  value = value or EMPTY_RING
  local held, sum, renewed, oldest, newest = unpack_struct('<ddddd', value)
  local bucket = floor(at / size)
  if bucket <= newest - RING then
    return
  end
  local slots = sub(value, HEAD + 1)
  if bucket > newest then
    for gone = oldest, min(newest, bucket - RING) do
      sum = sum - bucket_at(value, gone)
    end
    local list = { unpack_struct(SLOTS, slots) }
    for passed = max(newest + 1, bucket - RING + 1), bucket do
      list[passed % RING + 1] = 0
    end
    slots = pack(SLOTS, unpack(list, 1, RING))
    oldest, newest = max(oldest, bucket - RING + 1), bucket
  end
  local from = bucket % RING * 8
  local before = unpack_struct('<d', slots, from + 1)
  local after = max(0, before + delta)
  if sum == 0 or bucket < oldest then
    oldest = bucket
  end
  local head = pack('<ddddd', held, sum + after - before, renewed, oldest, newest)
  set(key, head .. sub(slots, 1, from) .. pack('<d', after) .. sub(slots, from + 9), keep, till)
end
