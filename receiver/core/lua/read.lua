-- Look-ups that need more than one command. Bounded replies only.
local p = cmsgpack.unpack(ARGV[1])
local act = {}

-- First number whose message arrived at or after `ms`: arrival times never go back, so halving finds it.
function act.since()
  local low = tonumber(call('HGET', META, 'cursor') or 0) + 1
  local high = tonumber(call('HGET', META, 'n') or 0) + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = call('XRANGE', LOG, middle .. '-0', '+', 'COUNT', 1)[1]
    local ms = entry and tonumber(string.match(entry[1], '-(%d+)$'))
    if not ms or ms >= p.ms then
      high = middle
    else
      low = middle + 1
    end
  end
  return {n = low}
end

local function goes_first(route, ref)
  local key = call('HGET', TURNS .. route, ref)
  local first = key and call('HGET', ORDER .. route, key) or ref
  return first ~= ref and 'msg_' .. parts(first) .. ' has the same ordering key and goes first'
end

-- Why a delivery that is queued is not worked; empty: it may be at any moment.
local function held(route, ref)
  local at = call('HMGET', ROUTE .. route, 'queue', 'paused')
  local breaker = call('HMGET', BREAKER .. route, 'state', 'reason')
  return (not at[1] and 'no worker serves this route') or at[2]
    or (breaker[1] == 'open' and 'its circuit breaker is open: ' .. breaker[2]) or goes_first(route, ref) or ''
end

-- Deliveries of one message: {reference, record, attempts, running, due ms, why held}. `names` are the fields of
-- its block.
local function deliveries_of(n, info, names)
  local seen, refs = {}, {}
  local list = string.match(info, '^[^|]*|[^|]*|[^|]*|([^|]*)')
  for route in string.gmatch(list, '%d+') do
    refs[#refs + 1] = n .. ':' .. route .. ':0'
    seen[refs[#refs]] = true
  end
  for _, name in ipairs(names) do
    local route, replay = placed(name, n)
    local ref = route and n .. ':' .. route .. ':' .. replay
    if ref and not seen[ref] then
      refs[#refs + 1] = ref
    end
  end
  local rows = {}
  for i, ref in ipairs(refs) do
    local _, route, replay = parts(ref)
    local name = field(n, route, replay)
    rows[i] = {ref, call('HGET', DELIVERIES .. block(n), name) or '', call('HGET', ATTEMPTS .. block(n), name) or '',
      call('SISMEMBER', RUNNING .. route, ref) == 1, tonumber(call('ZSCORE', LATER, ref) or 0),
      held(route, ref)}
  end
  return rows
end

-- Every delivery of the messages named, as far as they are kept: {number, received ms, deliveries}.
function act.deliveries()
  local rows, names = {}, {}
  for _, n in ipairs(p.numbers) do
    local entry = call('XRANGE', LOG, n, n)[1]
    if entry then
      local at = block(n)
      names[at] = names[at] or call('HKEYS', DELIVERIES .. at)
      local received = tonumber(string.match(entry[1], '-(%d+)$'))
      rows[#rows + 1] = {n, received, deliveries_of(n, entry[2][4], names[at])}
    end
  end
  return {rows = rows}
end

-- State of every route, by the names of route_states.py.
function act.routes()
  local rows = {}
  local all = call('HGETALL', ROUTES)
  for i = 1, #all, 2 do
    local name, number = all[i], all[i + 1]
    local at = call('HMGET', ROUTE .. number, 'queue', 'concurrency', 'rate', 'paused', 'rests', 'limit', 'gone')
    local breaker = call('HMGET', BREAKER .. number, 'state', 'reason', 'since', 'trips')
    local oldest = call('LINDEX', BACKLOG .. number, 0)
    local since = 0
    if oldest then
      local entry = call('XRANGE', LOG, (parts(oldest)), (parts(oldest)))[1]
      since = entry and tonumber(string.match(entry[1], '-(%d+)$')) or 0
    end
    rows[#rows + 1] = {
      number = tonumber(number), name = name, queue = at[1] or '', concurrency = tonumber(at[2] or 0),
      rate = tonumber(at[3] or 0), paused = at[4] or '', oldest_ms = since,
      backlog = call('LLEN', BACKLOG .. number), replaying = call('LLEN', REPLAYING .. number),
      parked = call('ZCARD', PARKED .. number), running = call('SCARD', RUNNING .. number),
      dead = call('ZCARD', DEAD .. number), gone_ms = tonumber(at[7] or 0),
      breaker = {state = breaker[1] or 'closed', reason = breaker[2] or '', since_ms = tonumber(breaker[3] or 0),
        trips = tonumber(breaker[4] or 0), probe_ms = tonumber(at[5] or 0), limit = tonumber(at[6] or 0)},
    }
  end
  return {rows = rows}
end

-- State of every queue named: {ready routes, drains on duty, suspects}.
function act.queues()
  local rows = {}
  for i, queue in ipairs(p.queues) do
    local drains = {}
    for _, drain in ipairs(call('ZRANGEBYSCORE', DUTY .. queue, p.now, '+inf')) do
      if call('EXISTS', DRAIN .. drain) == 1 then
        drains[#drains + 1] = drain
      end
    end
    local free = 0
    for _, route in ipairs(call('ZRANGE', READY .. queue, 0, 255)) do
      local at = call('HMGET', ROUTE .. route, 'concurrency', 'limit')
      local limit = math.min(tonumber(at[1] or 1), tonumber(at[2] or math.huge)) - call('SCARD', RUNNING .. route)
      local waiting = call('LLEN', BACKLOG .. route) + call('LLEN', REPLAYING .. route)
      free = free + math.max(0, math.min(limit, waiting))
    end
    rows[i] = {queue, call('ZCARD', READY .. queue), drains, free}
  end
  return {rows = rows, suspects = call('LLEN', SUSPECTS)}
end

return cmsgpack.pack(act[p.act]())
