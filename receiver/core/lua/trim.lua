-- Retention: walks the log once from a stored cursor and deletes what owes nothing. A message that still owes
-- deliveries stays; the script that clears its last debt deletes it.
local p = cmsgpack.unpack(ARGV[1])
local meta = call('HMGET', META, 'n', 'bytes', 'cursor', 'dropping')
local last, bytes, cursor = tonumber(meta[1] or 0), tonumber(meta[2] or 0), tonumber(meta[3] or 0)
local deleted, walked = 0, 0

-- An index bucket whose messages are all behind the cursor goes slot by slot, some at a time.
local function drop_bucket(dropping)
  local id, slots, at = string.match(dropping, '(%d+):(%d+):(%d+)')
  slots, at = tonumber(slots), tonumber(at)
  local stop = math.min(at + 250, slots)
  local gone = {}
  for slot = at, stop - 1 do
    gone[#gone + 1] = IDS .. id .. ':' .. slot
    for part = 0, USER_SLOTS - 1 do
      gone[#gone + 1] = USERS .. id .. ':' .. (slot * USER_SLOTS + part)
    end
  end
  call('UNLINK', unpack(gone))
  if stop < slots then
    call('HSET', META, 'dropping', id .. ':' .. slots .. ':' .. stop)
  else
    call('HDEL', META, 'dropping')
  end
end

if meta[4] then
  drop_bucket(meta[4])
  return cmsgpack.pack({deleted = 0, more = true, bytes = bytes})
end

for _, entry in ipairs(call('XRANGE', LOG, (cursor + 1) .. '-0', '+', 'COUNT', p.budget)) do
  local n, ms = string.match(entry[1], '^(%d+)-(%d+)$')
  local old = tonumber(ms) < p.before
  local much = (p.max_bytes > 0 and bytes > p.max_bytes) or p.pressure
  if not old and not much then
    break
  end
  n = tonumber(n)
  cursor = n
  walked = walked + 1
  if call('HEXISTS', OWED, n) == 0 then
    bytes = bytes - kept_bytes(entry[2][2])
    call('HSET', META, 'cursor', cursor)
    forget(n)
    deleted = deleted + 1
  end
end
if walked > 0 then
  call('HSET', META, 'cursor', cursor)
  local oldest = call('ZRANGE', BUCKETS, 0, 1, 'WITHSCORES')
  if oldest[4] and cursor >= tonumber(oldest[4]) - 1 then
    call('ZREM', BUCKETS, oldest[1])
    call('HSET', META, 'dropping', oldest[1] .. ':0')
  end
end
return cmsgpack.pack({deleted = deleted, more = walked == p.budget, bytes = bytes})
