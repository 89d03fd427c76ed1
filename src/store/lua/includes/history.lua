-- A fingerprint is two doubles: whether the last call with it succeeded (0, 1), and failures in a row.

-- Attempt number (the SDK's own where that is greater) and repeat (0, 1).
local function read_history(value, sdk_retry)
  local succeeded, failures = 0, 0
  if value then
    succeeded, failures = struct.unpack('<dd', value)
  end
  local attempt_number = math.max(failures, sdk_retry, 0)
  return attempt_number, succeeded == 1 and attempt_number == 0 and 1 or 0
end
