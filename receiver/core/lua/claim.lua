-- Hands a drain its next work: due retries first, then new references, round robin over the queue's ready
-- routes, within each route's free concurrency; the bodies come in the same answer.
local p = cmsgpack.unpack(ARGV[1])
local now, drain = p.now, p.drain
local reserved = {}
if call('HGET', META, 'id') ~= p.store then
  return {cmsgpack.pack({stale = true})}
end
if not call('ZSCORE', DRAINS, drain) then
  return {cmsgpack.pack({lost = true})}
end
local excluded = {}
for _, route in ipairs(p.excluded) do
  excluded[tostring(route)] = true
end

move_due(now, 200, reserved)

local ready = READY .. p.queue
local work = {rows = {''}}  -- the summary, then six values a reference: bodies are no text, so they stay unpacked
local taken, taken_bytes = 0, 0
local leases, running = {}, {}
local replays = {}

local function cancelled(replay)
  if replays[replay] == nil then
    replays[replay] = call('HGET', REPLAY .. replay, 'state') == 'cancelled'
  end
  return replays[replay]
end

local function drop(ref, n, replay)
  call('HSET', DELIVERIES .. block(n), field(ref), 'p|0||replay_cancelled')
  call('HINCRBY', REPLAY .. replay, 'dropped', 1)
  pay({[n] = 1})
end

local function take(ref)
  local n, route, replay = parts(ref)
  if replay ~= '0' and cancelled(replay) then
    return drop(ref, n, replay)
  end
  local entry = call('XRANGE', LOG, n, n)[1]
  if not entry then
    return pay({[n] = 1})
  end
  local state = call('HGET', DELIVERIES .. block(n), field(ref)) or ''
  local before = tried(state)
  local blob = ''
  if before > 0 then
    blob = call('HGET', ATTEMPTS .. block(n), field(ref)) or ''
  end
  leases[#leases + 1] = ref
  leases[#leases + 1] = before + 1
  append(running, RUNNING .. route, ref)
  local fields = entry[2]
  taken_bytes = taken_bytes + #fields[2]
  taken = taken + 1
  append(work, 'rows', ref, entry[1], fields[2], fields[4], state, blob)
end

-- Routes with something to take: {route, free slots, backlog, replaying}.
local open = {}
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
      end
    end
  end
end

local function room()
  return taken < p.max and taken_bytes < p.max_bytes
end

local function serve(at, quota)
  local route = at[1]
  local live = math.min(quota, at[2], at[3])
  local old = math.min(quota - live, at[2] - live, at[4])
  for _, source in ipairs({{BACKLOG, live, 3}, {REPLAYING, old, 4}}) do
    if source[2] > 0 then
      for _, ref in ipairs(call('LPOP', source[1] .. route, source[2])) do
        take(ref)
      end
      at[source[3]] = at[source[3]] - source[2]
    end
  end
  at[2] = at[2] - live - old
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

local more = false
for _, at in ipairs(open) do
  if at[3] + at[4] == 0 then
    call('ZREM', ready, at[1])
  elseif at[2] > 0 then
    more = true
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
local next_due = call('ZRANGE', LATER, 0, 0, 'WITHSCORES')[2]
work.rows[1] = cmsgpack.pack({
  more = more, next_due = tonumber(next_due or 0), reserved = reserved,
  relieved = p.leaving and signed_on(p.queue, now) > 0,
})
return work.rows
