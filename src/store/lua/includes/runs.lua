-- Meters of runs: a sorted set under the meter's key, every run at the moment (ms) when it was last seen. They count as
-- in runs.ts: a rolling window by whole buckets, any other window whole. No run is held.

-- The moment from which runs count.
local function counts_from(size, span, now)
  return size > 0 and floor((now - span) / size) * size or 0
end

-- How many runs count, and when the one seen longest ago leaves a rolling window (-1: none counts, or it does not roll).
local function read_runs(key, size, span, now)
  if size < 0 then
    return 0, -1
  elseif size == 0 then
    return redis.call('ZCARD', key), -1
  end
  local from = counts_from(size, span, now)
  local count = redis.call('ZCOUNT', key, from, '+inf')
  if count == 0 then
    return 0, -1
  end
  local first = redis.call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return count, (floor(tonumber(first[2]) / size) + 1) * size + span
end

local function has_seen(key, run, size, span, now)
  local at = size >= 0 and redis.call('ZSCORE', key, run)
  return at and tonumber(at) >= counts_from(size, span, now)
end

-- The meter sees the run: once more, or for the first time. What has surely left a rolling window is struck off.
local function mark_run(key, run, size, keep, till, now)
  if size < 0 or (till > 0 and till <= now) then
    return
  end
  local at = redis.call('ZSCORE', key, run)
  if at and size == 0 and keep == 0 or at and size > 0 and floor(tonumber(at) / size) >= floor(now / size) then
    return
  end
  redis.call('ZADD', key, now, run)
  if size > 0 then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - (RING + 1) * size)
  end
  if till > 0 then
    redis.call('PEXPIRE', key, till - now)
  elseif keep > 0 then
    redis.call('PEXPIRE', key, keep)
  end
end
