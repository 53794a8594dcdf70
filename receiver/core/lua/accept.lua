-- Arguments: a table, then five of each message: body, info, digest of the deduplication key, content digest,
-- user digests. Stores messages: deduplicate, append to the log, index, push a reference on each matched route's backlog.
-- A full Redis refuses this script (no allow-oom), so that it never stores by halves.
local p = cmsgpack.unpack(ARGV[1])
local now = p.now
local USER = 5  -- bytes of a user's digest
local meta = call('HMGET', META, 'id', 'n', 'ms', 'bytes', 'recent')
if meta[1] ~= p.store then
  return cmsgpack.pack({stale = true})
end
local n = tonumber(meta[2] or 0)
local first_n = n
local ms = math.max(now, tonumber(meta[3] or 0))
local bytes = tonumber(meta[4] or 0)

-- Recent index buckets, oldest first: {id, slots, start ms, first number}. A bucket holds about 64 entries a slot.
local buckets = {}
for id, slots, start, first in string.gmatch(meta[5] or '', '(%d+),(%d+),(%d+),(%d+);') do
  buckets[#buckets + 1] = {tonumber(id), tonumber(slots), tonumber(start), tonumber(first)}
end

local function open_bucket(slots)
  local id = #buckets > 0 and buckets[#buckets][1] + 1 or tonumber(call('HGET', META, 'bucket') or 0) + 1
  buckets[#buckets + 1] = {id, slots, ms, n + 1}
  call('ZADD', BUCKETS, n + 1, id .. ':' .. slots)
  call('HSET', META, 'bucket', id)
end

-- Looked at before every message: one script call may fill a bucket.
local function current_bucket()
  local last = buckets[#buckets]
  if not last then
    open_bucket(16)
  elseif n - last[4] >= last[2] * 64 then
    open_bucket(math.min(last[2] * 4, 65536))
  elseif ms - last[3] >= p.window / 4 and n >= last[4] then
    local slots = 16
    while slots * 48 < n - last[4] and slots < 65536 do
      slots = slots * 2
    end
    open_bucket(slots)
  end
  return buckets[#buckets]
end

while #buckets > 1 and buckets[2][3] < ms - p.window do
  table.remove(buckets, 1)
end

local function slot(digest, slots)
  local a, b, c = string.byte(digest, 1, 3)
  return (a * 65536 + b * 256 + c) % slots
end

-- Number of the message this one repeats, or nil; and the number of one with its id but another body.
-- An entry made by an uncovered element (suffix 'u') never makes a covered message a repeat.
local function known(id, content, covered)
  local other
  for i = #buckets, 1, -1 do
    local key = IDS .. buckets[i][1] .. ':' .. slot(id, buckets[i][2])
    local found
    if covered then
      found = call('HMGET', key, id, id .. '=' .. content)
    else
      found = call('HMGET', key, id, id .. '=' .. content, id .. 'u', id .. 'u=' .. content)
    end
    for at = 1, #found, 2 do
      local base, variant = found[at], found[at + 1]
      if variant then
        return large(variant)
      end
      if base then
        local number = large(string.sub(base, #content + 1))
        if string.sub(base, 1, #content) == content then
          return number
        end
        other = number
      end
    end
  end
  return nil, other
end

local answers, backlogs, owed, counts = {}, {}, {}, {}
for i = 1, (#ARGV - 1) / 5 do
  local body, info, id, content, users = unpack(ARGV, i * 5 - 3, i * 5 + 1)
  local flags, list = string.match(info, '|(%a*)|([%d,]*)$')
  local covered = flags == ''
  local last = current_bucket()
  local repeats, same_id_as
  if id ~= '' then
    repeats, same_id_as = known(id, content, covered)
  end
  if repeats then
    call('HINCRBY', REPEATS .. block(repeats), repeats, 1)
    bump(counts, 'repeats')
    answers[i] = {repeats, true, 0}
  else
    n = n + 1
    bytes = bytes + kept_bytes(body)
    if same_id_as then
      info = info .. '|' .. same_id_as
    end
    call('XADD', LOG, n .. '-' .. ms, 'b', body, 'i', info)
    if id ~= '' then
      local name = covered and id or id .. 'u'
      local value = small(n)
      if same_id_as then
        name = name .. '=' .. content
      else
        value = content .. value
      end
      call('HSET', IDS .. last[1] .. ':' .. slot(id, last[2]), name, value)
    end
    for at = 1, #users, USER do
      local user = string.sub(users, at, at + USER - 1)
      call('HSET', USERS .. last[1] .. ':' .. slot(user, last[2] * 4), user .. small(n), '')
    end
    local debts = 0
    for route in string.gmatch(list, '%d+') do
      append(backlogs, route, n .. ':' .. route .. ':0')
      debts = debts + 1
    end
    if debts > 0 then
      owed[#owed + 1] = n
      owed[#owed + 1] = debts
    end
    answers[i] = {n, false, same_id_as or 0}
  end
end

local recent = {}
for _, bucket in ipairs(buckets) do
  recent[#recent + 1] = table.concat(bucket, ',') .. ';'
end
call('HSET', META, 'n', n, 'ms', ms, 'bytes', bytes, 'recent', table.concat(recent))
if #owed > 0 then
  each_slice('HSET', OWED, owed)
end
local reserved = {}
for route, refs in pairs(backlogs) do
  each_slice('RPUSH', BACKLOG .. route, refs)
end
mark_ready(backlogs, now, reserved)
if n > first_n then
  bump(counts, 'accepted', n - first_n)
end
count(counts, now)
return cmsgpack.pack({answers = answers, reserved = reserved})
