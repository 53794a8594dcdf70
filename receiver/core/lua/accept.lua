-- Stores messages: deduplicate, append to the log, index, push a reference on each matched route's backlog.
-- Arguments: a table, then five of each message: body, info, digest of the deduplication key, content digest,
-- user digests. A full Redis refuses this script (no allow-oom), so that it never stores by halves.
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

-- Recent index buckets, oldest first. A slot is a hash of at most about 64 entries: Redis keeps it compact.
local buckets = {}
for id, slots, start, first in string.gmatch(meta[5] or '', '(%d+),(%d+),(%d+),(%d+);') do
  buckets[#buckets + 1] = {id = id, ids = IDS .. id .. ':', users = USERS .. id .. ':', slots = tonumber(slots),
    start = tonumber(start), first = tonumber(first)}
end
while #buckets > 1 and buckets[2].start < ms - p.window do
  table.remove(buckets, 1)
end
local last = buckets[#buckets]
local recent = meta[5]

local function open_bucket(slots)
  local id = call('HINCRBY', META, 'bucket', 1)
  last = {id = id, ids = IDS .. id .. ':', users = USERS .. id .. ':', slots = slots, start = ms, first = n + 1}
  buckets[#buckets + 1] = last
  call('ZADD', BUCKETS, n + 1, id .. ':' .. slots)
  recent = nil
end

-- Before every message, because one call may fill a bucket: a new one when this one is full, or a quarter of
-- the window old. The first are small, and each knows from the one before how many slots it needs.
local function current_bucket()
  if not last then
    open_bucket(256)
  elseif n - last.first >= last.slots * 64 then
    open_bucket(math.min(last.slots * 8, 131072))
  elseif ms - last.start >= p.window / 4 and n >= last.first then
    local slots = 256
    while slots * 48 < n - last.first and slots < 131072 do
      slots = slots * 2
    end
    open_bucket(slots)
  end
end

-- An entry: the content digest, then the number. In each bucket the first message of an id stands under the id,
-- others of the same id but another body under id=content.
local function entry(found, content)
  local size = #content
  return string.sub(found, 1, size) == content, large(string.sub(found, size + 1))
end

-- Number of the message this one repeats, or nil and the number of one with its id but another body. What an
-- uncovered element left (suffix 'u') never makes a covered message a repeat.
local function known(id, content, covered)
  local other
  for i = #buckets, 1, -1 do
    local bucket = buckets[i]
    local key = bucket.ids .. slot(id, bucket.slots)
    local base, loose = call('HGET', key, id), nil
    if not covered then
      loose = call('HGET', key, id .. 'u')
    end
    for name, found in pairs({[id] = base, [id .. 'u'] = loose}) do
      if found then
        local same, number = entry(found, content)
        if same then
          return number
        end
        other = number
        local variant = call('HGET', key, name .. '=' .. content)
        if variant then
          return large(variant)
        end
      end
    end
  end
  return nil, other
end

local function index(id, content, covered)
  local key = last.ids .. slot(id, last.slots)
  local name = covered and id or id .. 'u'
  if call('HSETNX', key, name, content .. small(n)) == 0 then
    call('HSET', key, name .. '=' .. content, small(n))
  end
end

-- What an info says is the same for many messages of a call: whether covered, whether it orders a purge, and the
-- routes.
local infos = {}
local function parsed(info)
  local flags, list = string.match(info, '^[^|]*|[^|]*|(%a*)|([%d,]*)$')
  local about = {covered = not string.find(flags, 'u'), purges = string.find(flags, 'd'), suffixes = {}}
  for route in string.gmatch(list, '%d+') do
    about.suffixes[#about.suffixes + 1] = {route, ':' .. route .. ':0'}
  end
  infos[info] = about
  return about
end

local answers, backlogs, owed = {}, {}, {}
local repeated = 0
for at = 2, #ARGV, 5 do
  local body, info, id, content, users = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local about = infos[info] or parsed(info)
  current_bucket()
  local repeats, same_id_as
  if id ~= '' then
    repeats, same_id_as = known(id, content, about.covered)
  end
  if repeats then
    call('HINCRBY', REPEATS .. block(repeats), repeats, 1)
    repeated = repeated + 1
    answers[#answers + 1] = {repeats, true, 0}
  else
    n = n + 1
    bytes = bytes + kept_bytes(body)
    call('XADD', LOG, n .. '-' .. ms, 'b', body, 'i', same_id_as and info .. '|' .. same_id_as or info)
    if id ~= '' then
      index(id, content, about.covered)
    end
    for first = 1, #users, USER do
      local user = string.sub(users, first, first + USER - 1)
      call('HSET', last.users .. slot(user, last.slots * 4), user .. small(n), '')
    end
    for _, route in ipairs(about.suffixes) do
      local refs = backlogs[route[1]]
      if not refs then
        refs = {}
        backlogs[route[1]] = refs
      end
      refs[#refs + 1] = n .. route[2]
    end
    local debts = #about.suffixes
    if about.purges then  -- an order is a debt of its own: retention waits for it
      call('ZADD', PURGES, n, n)
      debts = debts + 1
    end
    if debts > 0 then
      owed[#owed + 1] = n
      owed[#owed + 1] = debts
    end
    answers[#answers + 1] = {n, false, same_id_as or 0}
  end
end

if not recent then
  local parts = {}
  for _, bucket in ipairs(buckets) do
    parts[#parts + 1] = table.concat({bucket.id, bucket.slots, bucket.start, bucket.first}, ',') .. ';'
  end
  recent = table.concat(parts)
end
call('HSET', META, 'n', n, 'ms', ms, 'bytes', bytes, 'recent', recent)
if #owed > 0 then
  each_slice('HSET', OWED, owed)
end
local reserved = {}
for route, refs in pairs(backlogs) do
  each_slice('RPUSH', BACKLOG .. route, refs)
end
mark_ready(backlogs, now, reserved)
local counts = {}
if n > first_n then
  counts.accepted = n - first_n
end
if repeated > 0 then
  counts.repeats = repeated
end
count(counts, now)
return cmsgpack.pack({answers = answers, reserved = reserved})
