-- One turn of a drain: settles the attempts that ended, then hands out the next work, so that a slot is free for
-- no longer than this call takes. Bodies are no text, so the answer is a list: a packed summary, then six values
-- of each reference claimed.
local p = cmsgpack.unpack(ARGV[1])
local now, drain = p.now, p.drain
local reserved = {}
if call('HGET', META, 'id') ~= p.store then
  return {cmsgpack.pack({stale = true})}
end

-- Records how attempts ended. Refused, one by one, where the drain no longer holds the lease of that attempt.
local function settle(results)
  local refs, held = {}, {}
  for i, result in ipairs(results) do
    refs[i] = result[1]
  end
  for first = 1, #refs, 4000 do
    local last = math.min(first + 3999, #refs)
    for i, attempt in ipairs(call('HMGET', LEASE .. drain, unpack(refs, first, last))) do
      held[first + i - 1] = attempt
    end
  end

  local refused, ended, running, records, blobs, unblob = {}, {}, {}, {}, {}, {}
  local back, debts, counts, touched = {}, {}, {}, {}
  for i, result in ipairs(results) do
    local ref, attempt, status, record, due, blob, pause = unpack(result)
    if held[i] ~= tostring(attempt) then
      refused[#refused + 1] = ref
    else
      local n, route, replay = parts(ref)
      ended[#ended + 1] = ref
      append(running, RUNNING .. route, ref)
      touched[route] = true
      if status == 'b' then
        append(back, (replay == '0' and BACKLOG or REPLAYING) .. route, ref)
      else
        append(records, DELIVERIES .. block(n), field(n, route, replay), record)
        if blob ~= '' then
          append(blobs, ATTEMPTS .. block(n), field(n, route, replay), blob)
        elseif attempt > 1 then
          append(unblob, ATTEMPTS .. block(n), field(n, route, replay))
        end
        if status == 'w' then
          call('ZADD', LATER, due, ref)
          bump(counts, route .. ':retried')
        elseif status == 'x' then
          call('ZADD', DEAD .. route, now, ref)
          bump(counts, route .. ':dead')
        else
          bump(debts, n)
          bump(counts, route .. (status == 'p' and ':dropped' or ':delivered'))
        end
        if replay ~= '0' and status ~= 'w' then
          local outcome = status == 'x' and 'dead' or status == 'p' and 'dropped' or 'delivered'
          call('HINCRBY', REPLAY .. replay, outcome, 1)
        end
      end
      if pause ~= '' then
        call('HSET', ROUTE .. route, 'paused', pause)
        local queue = call('HGET', ROUTE .. route, 'queue')
        if queue then
          call('ZREM', READY .. queue, route)
        end
      end
    end
  end

  if #ended > 0 then
    each_slice('HDEL', LEASE .. drain, ended)
  end
  for key, members in pairs(running) do
    each_slice('SREM', key, members)
  end
  for key, fields in pairs(records) do
    each_slice('HSET', key, fields)
  end
  for key, fields in pairs(blobs) do
    each_slice('HSET', key, fields)
  end
  for key, fields in pairs(unblob) do
    each_slice('HDEL', key, fields)
  end
  for key, members in pairs(back) do
    each_slice('LPUSH', key, members)
  end
  pay(debts)
  count(counts, now)
  if p.quarantine and #refs > 0 then
    each_slice('HDEL', CRASHES, refs)
  end

  -- Freed slots: this very call may fill those of its own queue; who waits for others is woken.
  for route in pairs(touched) do
    if call('LLEN', BACKLOG .. route) + call('LLEN', REPLAYING .. route) == 0 then
      touched[route] = nil
    end
  end
  for queue in pairs(enlist(touched, now)) do
    if queue ~= p.queue or p.max == 0 then
      alert(queue, now, reserved)
    end
  end
  return refused
end

-- Hands out due retries and new references, round robin over the queue's ready routes, within each route's free
-- concurrency. Answers whether more could be taken, and whether work waits for slots.
local answer = {''}

local function claim()
  local excluded = {}
  for _, route in ipairs(p.excluded) do
    excluded[tostring(route)] = true
  end
  move_due(now, 200, reserved)
  local ready = READY .. p.queue
  local taken, taken_bytes = 0, 0
  local leases, running = {}, {}
  local replays = {}

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
      return drop(ref, entry)
    end
    local state = call('HGET', DELIVERIES .. block(n), field(n, route, replay)) or ''
    local before = tried(state)
    local blob = ''
    if before > 0 then
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

  -- Routes with something to take: {route, free slots, backlog, replaying}.
  local open, more, full = {}, false, false
  for _, route in ipairs(call('ZRANGE', ready, 0, 255)) do
    if not excluded[route] then
      local backlog, replaying = call('LLEN', BACKLOG .. route), call('LLEN', REPLAYING .. route)
      if backlog + replaying == 0 then
        call('ZREM', ready, route)
      else
        local limit = tonumber(call('HGET', ROUTE .. route, 'concurrency') or 1)
        local free = limit - call('SCARD', RUNNING .. route)
        if free > 0 then
          open[#open + 1] = {route, free, backlog, replaying}
        else
          full = true
        end
      end
    end
  end

  local function room()
    return taken < p.max and taken_bytes < p.max_bytes
  end

  local function serve(at, quota)
    local route = at[1]
    for _, source in ipairs({{BACKLOG, 3}, {REPLAYING, 4}}) do
      local left = source[2]
      local most = math.min(quota, at[2], at[left])
      quota = quota - most
      while most > 0 and room() do  -- a few at a time: how large they are shows only then
        local refs = call('LPOP', source[1] .. route, math.min(most, 16))
        for _, ref in ipairs(refs) do
          take(ref)
        end
        most = most - #refs
        at[2] = at[2] - #refs
        at[left] = at[left] - #refs
      end
    end
    call('ZADD', ready, now, route)
  end

  -- Equal shares first, then what is left goes to whoever still has work.
  local share = math.max(1, math.ceil(p.max / math.max(1, #open)))
  for _, quota in ipairs({share, p.max}) do
    for _, at in ipairs(open) do
      if room() and at[2] > 0 and at[3] + at[4] > 0 then
        serve(at, math.min(quota, p.max - taken))
      end
    end
  end

  for _, at in ipairs(open) do
    if at[3] + at[4] == 0 then
      call('ZREM', ready, at[1])
    elseif at[2] > 0 then
      more = true
    else
      full = true
    end
  end
  if #leases > 0 then
    each_slice('HSET', LEASE .. drain, leases)
    for key, refs in pairs(running) do
      each_slice('SADD', key, refs)
    end
  end
  if more then
    wake(p.queue)
  end
  return more, full
end

local refused = #p.results > 0 and settle(p.results) or {}
if p.max > 0 and not call('ZSCORE', DRAINS, drain) then
  return {cmsgpack.pack({lost = true})}
end
local more, full = false, false
if p.max > 0 then
  more, full = claim()
end
local next_due = call('ZRANGE', LATER, 0, 0, 'WITHSCORES')[2]
answer[1] = cmsgpack.pack({
  refused = refused, more = more, full = full, next_due = tonumber(next_due or 0), reserved = reserved,
  relieved = p.leaving and signed_on(p.queue, now) > 0,
})
return answer
