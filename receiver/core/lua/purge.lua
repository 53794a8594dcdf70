-- Works an order to purge a user: deletes what is stored of some messages, or ends the order.
local p = cmsgpack.unpack(ARGV[1])
local USER = 5  -- bytes of a user's digest
local act = {}

-- Every delivery of a message that there is or may be, by its reference.
local function references(n, info)
  local refs = {}
  for route in string.gmatch(string.match(info, '^[^|]*|[^|]*|[^|]*|([^|]*)'), '%d+') do
    refs[n .. ':' .. route .. ':0'] = true
  end
  for _, name in ipairs(call('HKEYS', DELIVERIES .. block(n))) do
    local route, replay = placed(name, n)
    if route then
      refs[n .. ':' .. route .. ':' .. replay] = true
    end
  end
  return refs
end

-- A delivery that runs may end, but its drain holds no lease any more: whatever it settles is refused. What stands
-- in a backlog or among suspects is dropped by whoever claims it.
local function withdraw(ref, drains)
  local _, route, replay = parts(ref)
  if call('ZREM', DEAD .. route, ref) == 1 then
    call('HDEL', TURNS .. route, ref)
  end
  call('HDEL', CRASHES, ref)
  local open = call('ZREM', LATER, ref) == 1
  if call('SREM', RUNNING .. route, ref) == 1 then
    open = true
    for _, drain in ipairs(drains) do
      call('HDEL', LEASE .. drain, ref)
    end
  end
  if open then
    pass_turn(route, ref)
    enlist_waiting(route, p.now)
    if replay ~= '0' then
      call('HINCRBY', REPLAY .. replay, 'dropped', 1)
    end
  end
end

-- An operator's order, over all messages there are. The second argument is the userId, which may be no text.
function act.order()
  local last = tonumber(call('HGET', META, 'n') or 0)
  local order = 'hand-' .. call('HINCRBY', META, 'orders', 1)
  call('HSET', ORDERED, order, last + 1 .. ':' .. ARGV[2])
  call('ZADD', PURGES, last, order)
  return {order = order}
end

local function unindex(n, users)
  local bucket = call('ZRANGE', BUCKETS, n, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1)[1]
  if not bucket then
    return
  end
  local id, slots = string.match(bucket, '(%d+):(%d+)')
  for first = 1, #users, USER do
    local user = string.sub(users, first, first + USER - 1)
    local at, name = slot(user, slots * USER_SLOTS)
    call('HDEL', USERS .. id .. ':' .. at, name .. small(n))
  end
end

-- Two arguments of each message: its number, the digests under which it is found. The index goes with the message, so
-- that whoever looks for what is left of the user finds just that.
function act.step()
  local drains = call('ZRANGE', DRAINS, 0, -1)
  local purged = 0
  for at = 2, #ARGV, 2 do
    local n = tonumber(ARGV[at])
    local entry = call('XRANGE', LOG, n, n)[1]
    if entry then
      for ref in pairs(references(n, entry[2][4])) do
        withdraw(ref, drains)
      end
      call('HDEL', OWED, n)
      forget(n)
      purged = purged + 1
    end
    unindex(n, ARGV[at + 1])
  end
  if purged > 0 then
    call('HINCRBY', PURGED, p.order, purged)
    count({purged = purged}, p.now)
  end
  return {purged = purged}
end

-- `ended` is true for one caller only.
function act.finish()
  local ended = call('ZREM', PURGES, p.order) == 1
  call('HDEL', ORDERED, p.order)
  if ended and tonumber(p.order) then
    pay({[tonumber(p.order)] = 1})
  end
  return {ended = ended, purged = tonumber(call('HGET', PURGED, p.order) or 0)}
end

return cmsgpack.pack(act[p.act]())
