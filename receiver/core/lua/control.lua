-- An operator's hand on routes and dead letters: pause, resume, redrive.
local p = cmsgpack.unpack(ARGV[1])
local now = p.now
local reserved = {}
local act = {}

function act.pause()
  call('HSET', ROUTE .. p.route, 'paused', p.reason)
  local queue = call('HGET', ROUTE .. p.route, 'queue')
  if queue then
    call('ZREM', READY .. queue, p.route)
  end
  return 1
end

-- A route whose breaker is open probes at once.
function act.resume()
  local was = call('HDEL', ROUTE .. p.route, 'paused')
  if call('HGET', BREAKER .. p.route, 'state') == 'open' then
    was = 1
    call('HDEL', ROUTE .. p.route, 'rests')
  end
  if call('LLEN', BACKLOG .. p.route) + call('LLEN', REPLAYING .. p.route) > 0 then
    mark_ready({[p.route] = true}, now, reserved)
  end
  return was
end

-- Dead letters start a new round of attempts, at the step that failed, with the outputs of those before it.
function act.redrive()
  local routes, done = {}, 0
  for _, ref in ipairs(p.refs) do
    local n, route, replay = parts(ref)
    if call('ZREM', DEAD .. route, ref) == 1 then
      local state = call('HGET', DELIVERIES .. block(n), field(n, route, replay)) or 'x|0'
      local attempts = tried(state)
      call('HSET', DELIVERIES .. block(n), field(n, route, replay), 'q|' .. attempts .. '|' .. attempts)
      if take_turn(route, ref, n, replay) then
        call('RPUSH', (replay == '0' and BACKLOG or REPLAYING) .. route, ref)
      end
      if replay ~= '0' then
        call('HINCRBY', REPLAY .. replay, 'dead', -1)
      end
      routes[route] = true
      done = done + 1
    end
  end
  mark_ready(routes, now, reserved)
  return done
end

return cmsgpack.pack({done = act[p.act](), reserved = reserved})
