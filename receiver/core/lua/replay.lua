-- Replays: create, step (push references and move the cursor in one go, so that a crash neither skips nor
-- doubles), change state.
local p = cmsgpack.unpack(ARGV[1])
local now = p.now
local reserved = {}
local act = {}

function act.create()
  local id = call('INCR', REPLAYSEQ)
  call('HSET', REPLAY .. id, 'state', 'running', 'created', now, 'cursor', p.first - 1, 'first', p.first,
    'last', p.last, 'rate', p.rate, 'plan', p.plan, 'scanned', 0, 'matched', 0, 'deliveries', 0)
  call('ZADD', REPLAYS, now, id)
  return {id = id}
end

-- `refs` holds references, `orders` their ordering keys ('' for none); `cursor` is where the caller believes the
-- replay stands.
function act.step()
  local key = REPLAY .. p.id
  local at = call('HMGET', key, 'state', 'cursor')
  if at[1] ~= 'running' or tonumber(at[2]) ~= p.cursor then
    return {ok = false, state = at[1] or ''}
  end
  local routes, debts = {}, {}
  for i, ref in ipairs(p.refs) do
    local n, route, replay = parts(ref)
    call('HSET', DELIVERIES .. block(n), field(n, route, replay), 'q|0')
    if p.orders[i] == '' or line_up(route, p.orders[i], ref, n, replay) then
      call('RPUSH', REPLAYING .. route, ref)
    end
    call('HINCRBY', OWED, n, 1)
    routes[route] = true
  end
  call('HSET', key, 'cursor', p.to, 'beat', now)
  call('HINCRBY', key, 'scanned', p.scanned)
  call('HINCRBY', key, 'matched', p.matched)
  call('HINCRBY', key, 'deliveries', #p.refs)
  if p.to >= tonumber(call('HGET', key, 'last')) then
    call('HSET', key, 'state', 'done', 'ended', now)
  end
  mark_ready(routes, now, reserved)
  return {ok = true, state = call('HGET', key, 'state')}
end

-- One owner at a time walks a replay; another may take over when the beat is old.
function act.own()
  local key = REPLAY .. p.id
  local at = call('HMGET', key, 'state', 'owner', 'beat')
  if at[1] ~= 'running' or (at[2] and at[2] ~= p.owner and tonumber(at[3] or 0) > now - DUTY_MS) then
    return {ok = false, state = at[1] or ''}
  end
  call('HSET', key, 'owner', p.owner, 'beat', now)
  return {ok = true, state = at[1]}
end

-- running ↔ paused; either → cancelled. A paused or cancelled replay pushes nothing more; references that a
-- cancelled one had pushed are dropped when they are claimed.
function act.change()
  local key = REPLAY .. p.id
  local state = call('HGET', key, 'state')
  local allowed = {paused = {running = true}, running = {paused = true},
    cancelled = {running = true, paused = true}}
  if not state or not allowed[p.state][state] then
    return {ok = false, state = state or ''}
  end
  call('HSET', key, 'state', p.state)
  call('HDEL', key, 'owner')
  if p.state == 'cancelled' then
    call('HSET', key, 'ended', now)
  end
  return {ok = true, state = p.state}
end

local answer = act[p.act]()
answer.reserved = reserved
return cmsgpack.pack(answer)
