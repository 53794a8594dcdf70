-- Shared by all scripts; receiver/core/scripts.py puts the key names before it and the script after it.
local call = redis.call

local RESERVED_MS = 5000  -- how long a reserved drain may take to sign on
local DUTY_MS = 10000     -- how long a drain lives without a heartbeat

-- A reference is <number>:<route>:<replay or 0>.
local function parts(ref)
  local n, route, replay = string.match(ref, '^(%d+):(%d+):(%d+)$')
  return tonumber(n), route, replay
end

local function block(n)
  return math.floor(n / BLOCK)
end

-- Where a delivery stands in the hashes of its block: a number, because Redis keeps that in two or three bytes and
-- there is one for every delivery; the replay after it where there is one.
local function field(n, route, replay)
  local place = route * BLOCK + n % BLOCK
  return replay == '0' and place or place .. ':' .. replay
end

-- The other way: the route and replay of a field, if it is one of message n.
local function placed(name, n)
  local place, replay = string.match(name, '^(%d+):?(%d*)$')
  if place % BLOCK == n % BLOCK then
    return math.floor(place / BLOCK), replay == '' and '0' or replay
  end
end

-- A number in as few bytes as it needs; its length is told by what holds it.
local function small(n)
  return struct.pack(n < 16777216 and '>I3' or n < 4294967296 and '>I4' or '>I6', n)
end

local function large(bytes)
  return struct.unpack('>I' .. #bytes, bytes)
end

-- Which hash of an index bucket holds a digest, and what it is called there: by the bytes that did not choose it.
local function slot(digest, slots)
  local a, b, c = string.byte(digest, 1, 3)
  return (a * 65536 + b * 256 + c) % slots, string.sub(digest, 4)
end

-- Attempts so far, of a record. A bare number is a delivery that worked at once.
local function tried(record)
  return tonumber(string.match(record, '^%a|(%d+)') or (record == '' and 0 or 1))
end

-- Calls a variadic command in slices: Lua's stack holds about 8,000 values.
local function each_slice(command, key, list)
  for first = 1, #list, 4000 do
    call(command, key, unpack(list, first, math.min(first + 3999, #list)))
  end
end

-- The same for many keys: {key → list}.
local function each_key(command, lists)
  for key, list in pairs(lists) do
    each_slice(command, key, list)
  end
end

local function append(lists, key, ...)
  local list = lists[key]
  if not list then
    list = {}
    lists[key] = list
  end
  for i = 1, select('#', ...) do
    list[#list + 1] = select(i, ...)
  end
end

local function wake(queue)
  if call('LLEN', WAKE .. queue) == 0 then
    call('RPUSH', WAKE .. queue, 1)
  end
end

-- Drains on duty or reserved for it; forgets those whose deadline passed.
local function on_duty(queue, now)
  call('ZREMRANGEBYSCORE', DUTY .. queue, '-inf', now)
  return call('ZCARD', DUTY .. queue)
end

-- Of those, the ones that have signed on.
local function signed_on(queue, now)
  on_duty(queue, now)
  local signed = 0
  for _, drain in ipairs(call('ZRANGE', DUTY .. queue, 0, -1)) do
    signed = signed + call('EXISTS', DRAIN .. drain)
  end
  return signed
end

-- The store's id is part of a drain's: a drain that outlives the data of its Redis must not meet a namesake.
local function reserve(queue, now)
  local store = string.sub(call('HGET', META, 'id') or '', 1, 6)
  local drain = 'drain-' .. queue .. '-' .. store .. '-' .. call('INCR', DRAINSEQ)
  call('ZADD', DUTY .. queue, now + RESERVED_MS, drain)
  return drain
end

-- A queue that has work must have a drain: wakes an idle one, reserves one where none is on duty. `reserved`
-- collects {queue, drain} pairs that the caller must enqueue.
local function alert(queue, now, reserved)
  wake(queue)
  if on_duty(queue, now) == 0 then
    reserved[#reserved + 1] = {queue, reserve(queue, now)}
  end
end

-- The newest version of routes.yaml that workers alive serve, by its order; those of `except` apart.
local function newest(now, except)
  local last = 0
  for _, process in ipairs(call('ZRANGEBYSCORE', PROCESSES, now, '+inf')) do
    if process ~= except then
      last = math.max(last, tonumber(call('HGET', PROCESS .. process, 'order') or 0))
    end
  end
  return last
end

-- Makes routes with work claimable: {route → true}. A paused route, one that rests, or one that no worker knows, is
-- held. Answers the queues concerned: {queue → true}.
local function enlist(routes, now)
  local queues = {}
  for route in pairs(routes) do
    local at = call('HMGET', ROUTE .. route, 'queue', 'paused', 'rests')
    if at[1] and not at[2] and (not at[3] or tonumber(at[3]) <= now) then
      call('ZADD', READY .. at[1], 'NX', now, route)
      queues[at[1]] = true
    end
  end
  return queues
end

-- After a turn was passed outside of a claim. Nobody is woken: drains look every second.
local function enlist_waiting(route, now)
  if call('LLEN', BACKLOG .. route) + call('LLEN', REPLAYING .. route) > 0 then
    enlist({[route] = true}, now)
  end
end

local function mark_ready(routes, now, reserved)
  for queue in pairs(enlist(routes, now)) do
    alert(queue, now, reserved)
  end
end

local function count(counts, now)
  local flat = {}
  local minute = STATS .. math.floor(now / 60000)
  for name, value in pairs(counts) do
    call('HINCRBY', minute, name, value)
    call('HINCRBY', TOTALS, name, value)
    flat[1] = true
  end
  if flat[1] then
    call('EXPIRE', minute, 7200)
  end
end

local function bump(counts, name, by)
  counts[name] = (counts[name] or 0) + (by or 1)
end

-- What a stored message counts for against the byte limit, its share of the indexes included.
local function kept_bytes(body)
  return #body + 120
end

-- Deletes a message, with all that is known of its deliveries.
local function forget(n)
  local entry = call('XRANGE', LOG, n, n)[1]
  if entry then
    call('XDEL', LOG, entry[1])
    call('HINCRBY', META, 'bytes', -kept_bytes(entry[2][2]))
  end
  for _, family in ipairs({DELIVERIES, ATTEMPTS}) do
    local gone = {}
    for _, name in ipairs(call('HKEYS', family .. block(n))) do
      if placed(name, n) then
        gone[#gone + 1] = name
      end
    end
    if #gone > 0 then
      each_slice('HDEL', family .. block(n), gone)
    end
  end
  call('HDEL', REPEATS .. block(n), n)
  call('HDEL', PURGED, n)
end

-- Lowers debts: {number → deliveries that came to an end}.
local function pay(debts)
  local numbers = {}
  for n in pairs(debts) do
    numbers[#numbers + 1] = n
  end
  if #numbers == 0 then
    return
  end
  local cursor = tonumber(call('HGET', META, 'cursor') or 0)
  local owed = {}
  for first = 1, #numbers, 4000 do
    local last = math.min(first + 3999, #numbers)
    for i, value in ipairs(call('HMGET', OWED, unpack(numbers, first, last))) do
      owed[first + i - 1] = value
    end
  end
  local cleared, left = {}, {}
  for i, n in ipairs(numbers) do
    local rest = tonumber(owed[i] or 0) - debts[n]
    if rest > 0 then
      left[#left + 1] = n
      left[#left + 1] = rest
    else
      cleared[#cleared + 1] = n
    end
  end
  if #left > 0 then
    each_slice('HSET', OWED, left)
  end
  if #cleared > 0 then
    each_slice('HDEL', OWED, cleared)
    for _, n in ipairs(cleared) do
      if n <= cursor then
        forget(n)
      end
    end
  end
end
