-- Claiming: hands out due retries and new references, round robin over the queue's ready routes, within what each
-- route's concurrency, rate and breaker leave. Appends six values of each to `answer`; answers whether more could be
-- taken, and the routes whose work waits for slots.
local DROPS = 200  -- in one call; what is dropped takes no slot, so nothing else bounds it

-- How many of a route may be claimed now; what is left of its rate, and its breaker's limit, where it has them.
local function room_of(route)
  local at = call('HMGET', ROUTE .. route, 'concurrency', 'rate', 'limit')
  local most = math.min(tonumber(at[1] or 1), tonumber(at[3] or math.huge)) - call('SCARD', RUNNING .. route)
  return most, at[2] and allowance(route, tonumber(at[2])), at[3]
end

local function claim(turn, answer)
  local p, now, reserved = turn.p, turn.now, turn.reserved
  local excluded = {}
  for _, route in ipairs(p.excluded) do
    excluded[tostring(route)] = true
  end
  move_due(now, 200, reserved)
  end_rests(p.queue, now, reserved)
  local ready = READY .. p.queue
  local taken, taken_bytes = 0, 0
  local leases, running = {}, {}
  local replays, dropped, drops = {}, {}, 0

  local function cancelled(replay)
    if replays[replay] == nil then
      replays[replay] = call('HGET', REPLAY .. replay, 'state') == 'cancelled'
    end
    return replays[replay]
  end

  local function take(ref)
    local n, route, replay = parts(ref)
    local entry = call('XRANGE', LOG, n, n)[1]
    if not entry or (replay ~= '0' and cancelled(replay)) then
      dropped[route] = true
      drops = drops + 1
      return drop(ref, entry)
    end
    local state = call('HGET', DELIVERIES .. block(n), field(n, route, replay)) or ''
    local before = tried(state)
    local blob = ''
    if state ~= '' then
      blob = call('HGET', ATTEMPTS .. block(n), field(n, route, replay)) or ''
    end
    leases[#leases + 1] = ref
    leases[#leases + 1] = before + 1
    append(running, RUNNING .. route, ref)
    local fields = entry[2]
    taken_bytes = taken_bytes + #fields[2]
    taken = taken + 1
    for _, value in ipairs({ref, entry[1], fields[2], fields[4], state, blob}) do
      answer[#answer + 1] = value
    end
  end

  -- Routes with something to take: the first free slots that there are for it, and how it is paced.
  local open, more, full = {}, false, {}
  for _, route in ipairs(call('ZRANGE', ready, 0, 255)) do
    if not excluded[route] then
      local backlog, replaying = call('LLEN', BACKLOG .. route), call('LLEN', REPLAYING .. route)
      if backlog + replaying == 0 then
        call('ZREM', ready, route)
      else
        local free, rate, limit = room_of(route)
        if rate and rate.count == 0 then
          rest(route, p.queue, now + spend(rate, 0))
        elseif free > 0 then
          free = math.min(free, rate and rate.count or free)
          open[#open + 1] = {route = route, free = free, live = backlog, replayed = replaying, taken = 0,
            rate = rate, limit = limit}
        else
          full[#full + 1] = tonumber(route)
        end
      end
    end
  end

  local function room()
    return taken < p.max and taken_bytes < p.max_bytes and drops < DROPS
  end

  local function serve(at, quota)
    local before = taken
    for _, source in ipairs({{BACKLOG, 'live'}, {REPLAYING, 'replayed'}}) do
      local left = source[2]
      local most = math.min(quota, at.free, at[left])
      quota = quota - most
      while most > 0 and room() do  -- a few at a time: how large they are shows only then
        local had, gone = taken, drops
        local refs = call('LPOP', source[1] .. at.route, math.min(most, 16)) or {}
        for _, ref in ipairs(refs) do
          take(ref)
        end
        most = most - (taken - had)
        at.free = at.free - (taken - had)
        at[left] = at[left] - #refs
        if drops > gone then  -- its turn went to the next of its key
          at[left] = call('LLEN', source[1] .. at.route)
        end
        most = math.min(most, at[left])
      end
    end
    at.taken = at.taken + taken - before
    call('ZADD', ready, now, at.route)
  end

  -- Equal shares first, then what is left goes to whoever still has work.
  local share = math.max(1, math.ceil(p.max / math.max(1, #open)))
  for _, quota in ipairs({share, p.max}) do
    for _, at in ipairs(open) do
      if room() and at.free > 0 and at.live + at.replayed > 0 then
        serve(at, math.min(quota, p.max - taken))
      end
    end
  end

  for _, at in ipairs(open) do
    local waits = at.live + at.replayed > 0
      or dropped[at.route] and call('LLEN', BACKLOG .. at.route) + call('LLEN', REPLAYING .. at.route) > 0
    if at.limit and at.taken > 0 then
      probe(at.route, turn.changes)
    end
    local next_ms = at.rate and spend(at.rate, at.taken)
    if not waits then
      call('ZREM', ready, at.route)
    elseif at.rate and at.taken >= at.rate.count then
      rest(at.route, p.queue, now + next_ms)
    elseif at.free > 0 then
      more = true
    else
      full[#full + 1] = tonumber(at.route)
    end
  end
  if #leases > 0 then
    each_slice('HSET', LEASE .. p.drain, leases)
    each_key('SADD', running)
  end
  if more then
    wake(p.queue)
  end
  return more, full
end
