-- Order: of a route's deliveries that share an ordering key one is in play, that is in a backlog, at work, waiting for
-- a retry, or suspect. The others are parked, by key, replay (0: live) and number, and never meet a claim. Who is in
-- play holds the turn of its key until it is over: whatever ends a delivery calls `pass_turn`.

-- Live deliveries sort before those of replays, earlier messages before later ones.
local function parked_name(key, n, replay)
  return string.format('%s:%09d:%015d', key, replay, n)
end

-- Answers whether the delivery is the next of its key, so that the caller puts it on its backlog; else it is parked.
local function line_up(route, key, ref, n, replay)
  call('HSET', TURNS .. route, ref, key)
  if call('HSETNX', ORDER .. route, key, ref) == 1 then
    return true
  end
  call('ZADD', PARKED .. route, 0, parked_name(key, n, replay))
  return false
end

-- A delivery is over, or lets the others of its key go first (`stays`: it will come back, or may): the next of them
-- goes to the end of its backlog, so that a key with many does not starve those with few.
local function pass_turn(route, ref, stays)
  local key = call('HGET', TURNS .. route, ref)
  if not key then
    return
  end
  if not stays then
    call('HDEL', TURNS .. route, ref)
  end
  if call('HGET', ORDER .. route, key) ~= ref then
    return
  end
  local member = call('ZRANGEBYLEX', PARKED .. route, '[' .. key .. ':', '(' .. key .. ';', 'LIMIT', 0, 1)[1]
  if not member then
    call('HDEL', ORDER .. route, key)
    return
  end
  call('ZREM', PARKED .. route, member)
  local replay, n = string.match(member, ':0*(%d+):0*(%d+)$')
  local next_ref = n .. ':' .. route .. ':' .. replay
  call('HSET', ORDER .. route, key, next_ref)
  call('RPUSH', (replay == '0' and BACKLOG or REPLAYING) .. route, next_ref)
end

-- A delivery comes back, whose turn may have passed meanwhile. Answers whether it may go to its backlog.
local function take_turn(route, ref, n, replay)
  local key = call('HGET', TURNS .. route, ref)
  return not key or call('HGET', ORDER .. route, key) == ref or line_up(route, key, ref, n, replay)
end
