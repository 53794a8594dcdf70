-- Stores messages: deduplicate, append to the log, index, push a reference on each matched route's backlog.
-- Arguments: a table, then three of each message: body, info, digests (of the content, of the deduplication key,
-- zeros if it has none, and of each user). `orders` of the table holds the ordering keys of those that have any, by
-- the place of the message's first argument and the route. A full Redis refuses this script (no allow-oom), so that
-- it never stores by halves.
local p = cmsgpack.unpack(ARGV[1])
local now = p.now
local CONTENT, ID, USER = 4, 8, 5  -- bytes of each digest
local NO_ID = string.rep('\0', ID)
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

-- A new bucket when a quarter of the window is over: it knows from the one before how many slots it needs.
if not last then
  open_bucket(256)
elseif ms - last.start >= p.window / 4 and n >= last.first then
  local slots = 256
  while slots * 48 < n - last.first and slots < 131072 do
    slots = slots * 2
  end
  open_bucket(slots)
end

-- An entry is the content digest, then the number. In each bucket the first message of an id stands under the id's
-- name, others of the same id but another body under name=content. What an uncovered element left stands under
-- name .. 'u': it never makes a covered message a repeat.

-- What stands under one name: the number of the same message if it is there, and that of the name's first.
local function seen(key, name, content)
  local found = call('HGET', key, name)
  if not found then
    return nil
  end
  local number = large(string.sub(found, CONTENT + 1))
  if string.sub(found, 1, CONTENT) == content then
    return number, number
  end
  local variant = call('HGET', key, name .. '=' .. content)
  return variant and large(variant), number
end

local function search(key, name, content, covered)
  local same, other = seen(key, name, content)
  if same or covered then
    return same, other
  end
  local loose, first = seen(key, name .. 'u', content)
  return loose, other or first
end

-- Enters message `number` in the index, unless it is a repeat: answers the number of the message that it repeats,
-- or nil and the number of one with its id but another body.
local function enter(id, content, covered, number)
  local oldest
  for i = #buckets - 1, 1, -1 do
    local bucket = buckets[i]
    local at, name = slot(id, bucket.slots)
    local same, other = search(bucket.ids .. at, name, content, covered)
    if same then
      return same
    end
    oldest = other or oldest
  end
  local at, base = slot(id, last.slots)
  local key, name = last.ids .. at, covered and base or base .. 'u'
  local packed = small(number)
  local same, other
  -- Written before it is looked at: nearly always the id is new, and then this one call is enough.
  if call('HSETNX', key, name, content .. packed) == 0 then
    same, other = search(key, base, content, covered)
    if not same then
      call('HSET', key, name .. '=' .. content, packed)
    end
  elseif not covered then
    same, other = seen(key, base, content)
    if same then
      call('HDEL', key, name)
    end
  end
  return same, oldest or other
end

-- What an info says is the same for many messages of a call: whether covered, whether it orders a purge, and the
-- routes.
local infos, backlogs, orders = {}, {}, p.orders or {}
local function parsed(info)
  local flags, list = string.match(info, '^[^|]*|[^|]*|(%a*)[^|]*|([%d,]*)$')
  local about = {covered = not string.find(flags, 'u'), purges = string.find(flags, 'd'), routes = {}, backlogs = {},
    suffixes = {}}
  for route in string.gmatch(list, '%d+') do
    backlogs[route] = backlogs[route] or {}
    about.routes[#about.routes + 1] = route
    about.backlogs[#about.backlogs + 1] = backlogs[route]
    about.suffixes[#about.suffixes + 1] = ':' .. route .. ':0'
  end
  -- An order is a debt of its own: retention waits for it.
  about.debts = tostring(#about.suffixes + (about.purges and 1 or 0))
  infos[info] = about
  return about
end

local at_ms = '-' .. ms
local owed, repeats, same_ids = {}, {}, {}
for at = 2, #ARGV, 3 do
  local body, info, digests = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local about = infos[info] or parsed(info)
  -- One call may fill a bucket; the first ones are small.
  if n - last.first >= last.slots * 64 then
    open_bucket(math.min(last.slots * 4, 131072))
  end
  local id = string.sub(digests, CONTENT + 1, CONTENT + ID)
  local repeated, same_id_as
  if id ~= NO_ID then
    repeated, same_id_as = enter(id, string.sub(digests, 1, CONTENT), about.covered, n + 1)
  end
  if repeated then
    call('HINCRBY', REPEATS .. block(repeated), repeated, 1)
    repeats[#repeats + 1] = {(at - 2) / 3, repeated}
  else
    n = n + 1
    bytes = bytes + kept_bytes(body)
    if same_id_as then
      info = info .. '|' .. same_id_as
      same_ids[#same_ids + 1] = {(at - 2) / 3, same_id_as}
    end
    -- Written out once: Lua would do it anew, slowly, in each place.
    local number, packed = string.format('%d', n), small(n)
    call('XADD', LOG, number .. at_ms, 'b', body, 'i', info)
    for first = CONTENT + ID + 1, #digests, USER do
      local user = string.sub(digests, first, first + USER - 1)
      local place, name = slot(user, last.slots * USER_SLOTS)
      call('HSET', last.users .. place, name .. packed, '')
    end
    local own = orders[at]
    for i, suffix in ipairs(about.suffixes) do
      local refs, route = about.backlogs[i], about.routes[i]
      local key = own and own[tonumber(route)]
      if not key or line_up(route, key, number .. suffix, number, 0) then
        refs[#refs + 1] = number .. suffix
      end
    end
    if about.purges then
      call('ZADD', PURGES, n, n)
    end
    if about.debts ~= '0' then
      owed[#owed + 1] = number
      owed[#owed + 1] = about.debts
    end
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
local reserved, ready = {}, {}
for route, refs in pairs(backlogs) do
  if #refs > 0 then
    each_slice('RPUSH', BACKLOG .. route, refs)
    ready[route] = true
  end
end
mark_ready(ready, now, reserved)
local counts = {}
if n > first_n then
  counts.accepted = n - first_n
end
if #repeats > 0 then
  counts.repeats = #repeats
end
count(counts, now)
return cmsgpack.pack({first = first_n + 1, repeats = repeats, same_ids = same_ids, reserved = reserved})
