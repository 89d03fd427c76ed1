-- Meters as packed little-endian doubles: `held, spent`, or for a rolling window `held, newest bucket, 31 buckets`,
-- bucket n at n mod 31. The same numbers as in meters.ts, in the same order; exact for whole numbers to 2^53.
--
-- A meter's size: ms of a bucket; 0: plain; -1: counts what is in flight and never spends.
-- It is kept until `till` where that is above 0, else for `keep` ms after each write, else for ever.

local RING = 31
local PACKED_RING = '<' .. string.rep('d', RING + 2)
local EMPTY_RING = string.rep('\0', (RING + 2) * 8)
local EMPTY = string.rep('\0', 16)

local function server_time()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- What this script has read and not yet written: every key is read and written once.
local values = {}
local writes = {}

local function get(key)
  local value = values[key]
  if value == nil then
    value = redis.call('GET', key)
    values[key] = value
  end
  return value
end

local function set(key, value, keep, till)
  values[key] = value
  writes[key] = { keep, till }
end

local function flush(now)
  for key, kept in pairs(writes) do
    local keep, till = kept[1], kept[2]
    if till > 0 then
      redis.call('SET', key, values[key], 'PX', till - now)
    elseif keep > 0 then
      redis.call('SET', key, values[key], 'PX', keep)
    else
      redis.call('SET', key, values[key])
    end
  end
  writes = {}
end

-- Spent, held, and when the oldest spend leaves a rolling window (-1: nothing is spent, or it does not roll).
local function read_meter(value, size, span, now)
  if not value then
    return 0, 0, -1
  end
  if size <= 0 then
    local held, spent = struct.unpack('<dd', value)
    return spent, held, -1
  end
  local slots = { struct.unpack(PACKED_RING, value) }
  local newest = slots[2]
  local spent, leaves = 0, -1
  for bucket = math.max(0, math.floor((now - span) / size), newest - RING + 1), newest do
    local amount = slots[bucket % RING + 3]
    if amount > 0 and leaves < 0 then
      leaves = (bucket + 1) * size + span
    end
    spent = spent + amount
  end
  return spent, slots[1], leaves
end

-- Adds to what is held (or takes off).
local function hold(key, size, keep, till, delta, now)
  local value = get(key)
  if delta == 0 or (till > 0 and till <= now) or (not value and delta < 0) then
    return
  end
  value = value or (size > 0 and EMPTY_RING or EMPTY)
  local held = math.max(0, struct.unpack('<d', value) + delta)
  set(key, struct.pack('<d', held) .. string.sub(value, 9), keep, till)
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
    local held, spent = struct.unpack('<dd', value or EMPTY)
    set(key, struct.pack('<dd', held, math.max(0, spent + delta)), keep, till)
    return
  end
  local slots = { struct.unpack(PACKED_RING, value or EMPTY_RING) }
  local bucket, newest = math.floor(at / size), slots[2]
  if bucket > newest - RING then
    for passed = math.max(newest + 1, bucket - RING + 1), bucket do
      slots[passed % RING + 3] = 0
    end
    slots[2] = math.max(newest, bucket)
    local slot = bucket % RING + 3
    slots[slot] = math.max(0, slots[slot] + delta)
  end
  set(key, struct.pack(PACKED_RING, unpack(slots, 1, RING + 2)), keep, till)
end
