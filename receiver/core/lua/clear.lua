-- An operator's hand on what waits: deliveries go to another route, or are dropped. Each of them wholly or not at all,
-- and some at a time, so that whoever is killed in between goes on where he was.
local p = cmsgpack.unpack(ARGV[1])
local now, to = p.now, p.to
local reserved = {}
local cleared, there = 0, 0
local debts, counts = {}, {}

-- What a delivery leaves where it stood: its history stays readable.
local function close(place, state, received, reason)
  call('HSET', place[1], place[2], 'p|' .. tried(state) .. reason .. (now - received))
end

local function drop_it(n, route, replay, was_dead)
  bump(debts, n)
  bump(counts, route .. ':removed')
  if replay ~= '0' then
    call('HINCRBY', REPLAY .. replay, 'dropped', 1)
    if was_dead then
      call('HINCRBY', REPLAY .. replay, 'dead', -1)
    end
  end
end

-- Whether the message has a delivery on that route already: it was matched there too, or replayed to it.
local function is_there(n, info, replay)
  local list = string.match(info, '^[^|]*|[^|]*|[^|]*|([%d,]*)')
  return (replay == '0' and string.find(',' .. list .. ',', ',' .. to .. ',', 1, true) ~= nil)
    or call('HEXISTS', DELIVERIES .. block(n), field(n, to, replay)) == 1
end

-- A delivery on the other route: as it is when the two are the same under two names, or a new one. A dead letter is
-- one there too, and one that waits for others of its ordering key waits for them there.
local function arrive(n, replay, state, old_place, home, score, key)
  local ref = n .. ':' .. to .. ':' .. replay
  local name = field(n, to, replay)
  if p.resume then
    call('HSET', DELIVERIES .. block(n), name, state ~= '' and state or 'q|0')
    local blob = call('HGET', ATTEMPTS .. block(n), old_place[2])
    if blob then
      call('HSET', ATTEMPTS .. block(n), name, blob)
      call('HDEL', ATTEMPTS .. block(n), old_place[2])
    end
  else
    call('HSET', DELIVERIES .. block(n), name, home == DEAD and state or 'q|0')
  end
  if home == DEAD then
    call('ZADD', DEAD .. to, score, ref)
    if key then
      call('HSET', TURNS .. to, ref, key)
    end
  elseif key and not line_up(to, key, ref, n, replay) then
    return
  elseif home == LATER and p.resume then
    call('ZADD', LATER, score, ref)
  else
    call('RPUSH', (replay == '0' and BACKLOG or REPLAYING) .. to, ref)
  end
end

-- `home` is where the reference was taken from.
local function clear(ref, home, score)
  local n, route, replay = parts(ref)
  local entry = call('XRANGE', LOG, n, n)[1]
  cleared = cleared + 1
  if not entry then
    return drop(ref)
  end
  local place = {DELIVERIES .. block(n), field(n, route, replay)}
  local state = call('HGET', place[1], place[2]) or ''
  local received = tonumber(string.match(entry[1], '-(%d+)$'))
  if to == '' then
    close(place, state, received, '||dropped_by_operator|')
    drop_it(n, route, replay, home == DEAD)
  elseif is_there(n, entry[2][4], replay) then
    there = there + 1
    close(place, state, received, '||moved|')
    drop_it(n, route, replay, home == DEAD)
  else
    arrive(n, replay, state, place, home, score, call('HGET', TURNS .. route, ref))
    close(place, state, received, '||moved|')
    bump(counts, route .. ':moved')
  end
  pass_turn(route, ref)
end

local act = {}

-- What waits to be worked, in its order.
function act.waiting()
  for _, list in ipairs({BACKLOG, REPLAYING}) do
    local refs = cleared < p.most and call('LPOP', list .. p.route, p.most - cleared) or {}
    for _, ref in ipairs(refs) do
      clear(ref, list)
    end
  end
end

-- Retries and dead letters, by their references: those that still are.
function act.named()
  for _, ref in ipairs(p.refs) do
    local _, route = parts(ref)
    local home = p.dead and DEAD or LATER
    local key = p.dead and DEAD .. route or LATER
    local score = call('ZSCORE', key, ref)
    if score then
      call('ZREM', key, ref)
      clear(ref, home, score)
    end
  end
end

act[p.act]()
pay(debts)
count(counts, now)
if to ~= '' then
  if call('LLEN', BACKLOG .. to) + call('LLEN', REPLAYING .. to) > 0 then
    mark_ready({[to] = true}, now, reserved)
  end
end
return cmsgpack.pack({cleared = cleared, there = there, reserved = reserved})
