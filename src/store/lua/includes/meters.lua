-- Meters as packed little-endian doubles, exact for whole numbers to 2^53:
--
--   plain    held, spent, renewed
--   rolling  held, spent, renewed, oldest bucket with spend, newest bucket, 31 buckets: bucket n is at n mod 31
--
-- They add up as in meters.ts. Here the sum is kept beside the buckets, so that a reading costs no loop; writes are by
-- SETRANGE, which leaves the time to live as it is; `renewed` says when that was last set.
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

-- What this script has read, by key; false: there is no such key.
local values = {}
-- Meters that it has changed and not yet written, by key.
local changed = {}

local function get(key)
  local value = values[key]
  if value == nil then
    value = redis.call('GET', key)
    values[key] = value
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
    values[keys[i]] = list[i - first + 1]
  end
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

-- A meter as numbers, to be changed and then written by `flush`.
local function open_meter(key, size, keep, till)
  local meter = changed[key]
  if meter then
    return meter
  end
  local value = get(key)
  local is_new, kept = not value, till > 0 and -till or keep
  value = value or (size > 0 and EMPTY_RING or EMPTY)
  if size > 0 then
    local held, spent, renewed, oldest, newest = unpack_struct('<ddddd', value)
    meter = {
      value = value, is_new = is_new, kept = kept,
      held = held, spent = spent, renewed = renewed, oldest = oldest, newest = newest,
    }
  else
    local held, spent, renewed = unpack_struct('<ddd', value)
    meter = { value = value, is_new = is_new, kept = kept, held = held, spent = spent, renewed = renewed }
  end
  changed[key] = meter
  return meter
end

-- Puts the bucket that was changed into the meter's value.
local function put_bucket(meter)
  if meter.slot then
    meter.value = sub(meter.value, 1, meter.slot) .. pack('<d', meter.amount) .. sub(meter.value, meter.slot + 9)
    meter.slot, meter.is_whole = nil, true
  end
end

local function whole(meter)
  put_bucket(meter)
  if meter.newest then
    local head = pack('<ddddd', meter.held, meter.spent, meter.renewed, meter.oldest, meter.newest)
    return head .. sub(meter.value, HEAD + 1)
  end
  return pack('<ddd', meter.held, meter.spent, meter.renewed)
end

-- Writes what has changed, and where it can no more than that: long strings are dear to hand over.
local function flush(now)
  for key, meter in pairs(changed) do
    local kept = meter.kept
    if meter.is_new or kept > 0 and now - meter.renewed > RENEW_MS then
      if kept > 0 then
        meter.renewed = now
        redis.call('SET', key, whole(meter), 'PX', kept)
      elseif kept < 0 then
        redis.call('SET', key, whole(meter), 'PX', -kept - now)
      else
        redis.call('SET', key, whole(meter))
      end
    elseif meter.is_whole then
      redis.call('SETRANGE', key, 0, whole(meter))
    else
      redis.call('SETRANGE', key, 0, pack('<dd', meter.held, meter.spent))
      if meter.is_moved then
        redis.call('SETRANGE', key, 24, pack('<d', meter.oldest))
      end
      if meter.slot then
        redis.call('SETRANGE', key, meter.slot, pack('<d', meter.amount))
      end
    end
    values[key] = nil
  end
  changed = {}
end

-- Adds to what is held (or takes off).
local function hold(key, size, keep, till, delta, now)
  if delta == 0 or (till > 0 and till <= now) or (delta < 0 and not changed[key] and not get(key)) then
    return
  end
  local meter = open_meter(key, size, keep, till)
  meter.held = max(0, meter.held + delta)
end

-- Adds to what is held, and writes that at once where no more of the meter need be written: for what a script does last.
local held_last = {}
local function hold_last(key, size, keep, till, delta, now)
  local value = delta ~= 0 and get(key)
  if value and (till > 0 or keep == 0 or now - unpack_struct('<d', value, 17) <= RENEW_MS) then
    if till <= 0 or till > now then
      local held = max(0, (held_last[key] or unpack_struct('<d', value)) + delta)
      held_last[key] = held
      redis.call('SETRANGE', key, 0, pack('<d', held))
    end
  else
    hold(key, size, keep, till, delta, now)
  end
end

-- Adds to what is spent at the moment `at` (or takes off); what a rolling window has left behind is not added.
local function spend(key, size, keep, till, at, delta, now)
  if delta == 0 or size < 0 or (till > 0 and till <= now) or (delta < 0 and not changed[key] and not get(key)) then
    return
  end
  local bucket = size > 0 and floor(at / size)
  local meter = open_meter(key, size, keep, till)
  if not bucket then
    meter.spent = max(0, meter.spent + delta)
    return
  end
  local oldest, newest = meter.oldest, meter.newest
  if bucket <= newest - RING then
    return
  end
  local slot = HEAD + bucket % RING * 8
  if meter.slot ~= slot or bucket > newest then
    put_bucket(meter)
  end
  if bucket > newest then
    for gone = oldest, min(newest, bucket - RING) do
      meter.spent = meter.spent - bucket_at(meter.value, gone)
    end
    local list = { unpack_struct(SLOTS, meter.value, HEAD + 1) }
    for passed = max(newest + 1, bucket - RING + 1), bucket do
      list[passed % RING + 1] = 0
    end
    meter.value = sub(meter.value, 1, HEAD) .. pack(SLOTS, unpack(list, 1, RING))
    meter.oldest, meter.newest, meter.is_whole = max(oldest, bucket - RING + 1), bucket, true
  end
  local before = meter.slot == slot and meter.amount or unpack_struct('<d', meter.value, slot + 1)
  local after = max(0, before + delta)
  if meter.spent == 0 or bucket < meter.oldest then
    meter.oldest, meter.is_moved = bucket, true
  end
  meter.spent, meter.slot, meter.amount = meter.spent + after - before, slot, after
end
