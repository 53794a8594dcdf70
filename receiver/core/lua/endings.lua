-- How deliveries end or wait other than by a result: retries that are due, references dropped, drains that died.

-- Moves retries that are due to the front of their backlogs, or behind others of their key who had to wait for them.
local function move_due(now, limit, reserved)
  local due = call('ZRANGEBYSCORE', LATER, '-inf', now, 'LIMIT', 0, limit)
  if #due == 0 then
    return
  end
  each_slice('ZREM', LATER, due)
  local backlogs, ordered = {}, {}
  for i = #due, 1, -1 do
    local n, route, replay = parts(due[i])
    if ordered[route] == nil then
      ordered[route] = call('EXISTS', TURNS .. route) == 1
    end
    if not ordered[route] or take_turn(route, due[i], n, replay) then
      append(backlogs, (replay == '0' and BACKLOG or REPLAYING) .. route, due[i])
    end
  end
  local routes = {}
  for key, refs in pairs(backlogs) do
    each_slice('LPUSH', key, refs)
    routes[string.match(key, '(%d+)$')] = true
  end
  mark_ready(routes, now, reserved)
end

-- Ends what is not to be worked any more: its replay was cancelled, or its message is gone (no `entry`), and then no
-- record may stay of it.
local function drop(ref, entry)
  local n, route, replay = parts(ref)
  if replay ~= '0' then
    if entry then
      call('HSET', DELIVERIES .. block(n), field(n, route, replay), 'p|0||replay_cancelled')
    else
      call('HDEL', DELIVERIES .. block(n), field(n, route, replay))
    end
    call('HINCRBY', REPLAY .. replay, 'dropped', 1)
  end
  pass_turn(route, ref)
  pay({[n] = 1})
end

-- Takes a drain's leases away. Refs in flight become suspects; a drain that ran one alone counts a crash.
local function reap(drain, now, reserved)
  local info = call('HMGET', DRAIN .. drain, 'queue', 'alone')
  local leases = call('HGETALL', LEASE .. drain)
  call('ZREM', DRAINS, drain)
  if info[1] then
    call('ZREM', DUTY .. info[1], drain)
  end
  call('DEL', LEASE .. drain, DRAIN .. drain)
  local refs, running = {}, {}
  for i = 1, #leases, 2 do
    local _, route = parts(leases[i])
    refs[#refs + 1] = leases[i]
    append(running, RUNNING .. route, leases[i])
  end
  each_key('SREM', running)
  if #refs == 1 and info[2] == '1' then
    local ref = refs[1]
    if call('HINCRBY', CRASHES, ref, 1) >= 3 then
      local n, route, replay = parts(ref)
      local entry = call('XRANGE', LOG, n, n)[1]
      local received = entry and tonumber(string.match(entry[1], '-(%d+)$')) or now
      call('HSET', DELIVERIES .. block(n), field(n, route, replay), 'x|' .. leases[2] .. '||worker_crashed|' .. (now - received))
      call('ZADD', DEAD .. route, now, ref)
      call('HDEL', CRASHES, ref)
      count({[route .. ':dead'] = 1}, now)
      if replay ~= '0' then
        call('HINCRBY', REPLAY .. replay, 'dead', 1)
      end
      pass_turn(route, ref, true)
      mark_ready({[route] = true}, now, reserved)
      refs = {}
    end
  end
  if #refs > 0 then
    call('RPUSH', SUSPECTS, cmsgpack.pack(refs))
  end
  if call('LLEN', SUSPECTS) > 0 then
    alert('quarantine', now, reserved)
  end
  return #leases / 2
end
