-- How a drain is always there, once: sign on, beat, hand over, sign off, reserve, reap.
local p = cmsgpack.unpack(ARGV[1])
local now, queue, drain = p.now, p.queue, p.drain
local reserved = {}

local function has_work()
  if queue == 'quarantine' then
    return call('LLEN', SUSPECTS) > 0
  end
  return call('ZCARD', READY .. queue) > 0 or #call('ZRANGEBYSCORE', LATER, '-inf', now, 'LIMIT', 0, 1) > 0
    or #call('ZRANGEBYSCORE', RESTING .. queue, '-inf', now, 'LIMIT', 0, 1) > 0
end

local act = {}

function act.sign_on()
  if not call('ZSCORE', DUTY .. queue, drain) and signed_on(queue, now) > 0 then
    return {ok = false}
  end
  call('ZADD', DUTY .. queue, now + DUTY_MS, drain)
  call('ZADD', DRAINS, now + DUTY_MS, drain)
  call('HSET', DRAIN .. drain, 'queue', queue, 'state', 'on', 'worker', p.worker, 'host', p.host, 'pid', p.pid,
    'since', now, 'version', p.version)
  return {ok = true}
end

function act.beat()
  if call('ZADD', DRAINS, 'XX', 'CH', now + DUTY_MS, drain) == 0 and not call('ZSCORE', DRAINS, drain) then
    return {ok = false}
  end
  call('ZADD', DUTY .. queue, 'XX', now + DUTY_MS, drain)
  return {ok = true}
end

-- Off duty at once: the leases stay with this drain, and its end, however it comes, is no crash.
local function leave_duty(state)
  if call('EXISTS', DRAIN .. drain) == 1 then
    call('HSET', DRAIN .. drain, 'state', state, 'alone', 0)
  end
  call('ZREM', DUTY .. queue, drain)
end

local function has_routes()
  for _, number in ipairs(call('HVALS', ROUTES)) do
    if call('HGET', ROUTE .. number, 'queue') == queue then
      return true
    end
  end
  return false
end

-- From now on the successor is the one that counts; this drain claims on until that one has signed on. A queue that
-- the config in force does not name (any more), or that is served on demand, gets none.
function act.hand_over()
  leave_duty('leaving')
  return {ok = true, drain = has_routes() and reserve(queue, now) or nil}
end

-- This drain claims no more: work that is there is somebody else's, who may have missed the token that this one got.
function act.step_down()
  leave_duty('finishing')
  if has_work() then
    alert(queue, now, reserved)
  end
  return {ok = true}
end

-- Leaves when told to stop, or when others are on duty and nothing is left to do.
function act.sign_off()
  local mine = call('ZSCORE', DUTY .. queue, drain) and 1 or 0
  if not p.stopping then
    if has_work() or (signed_on(queue, now) - mine <= 0 and queue ~= 'quarantine') then
      return {ok = false}
    end
  end
  call('ZREM', DUTY .. queue, drain)
  if call('HLEN', LEASE .. drain) == 0 then
    call('ZREM', DRAINS, drain)
    call('DEL', DRAIN .. drain)
  end
  local answer = {ok = true}
  if has_work() and on_duty(queue, now) == 0 then
    answer.drain = reserve(queue, now)
  end
  return answer
end

-- One more drain beside those on duty, for a queue with more ready work than they can take.
function act.reserve()
  return {ok = true, drain = reserve(queue, now)}
end

function act.reap()
  return {ok = true, leases = reap(drain, now, reserved)}
end

-- Every second: due retries, drains whose deadline passed, routes that lost their place among the ready ones,
-- queues without a drain (an idle drain is what makes the first message after a quiet hour quick).
function act.sweep()
  move_due(now, 1000, reserved)
  local reaped = {}
  if p.reaping then
    for _, late in ipairs(call('ZRANGEBYSCORE', DRAINS, '-inf', now, 'LIMIT', 0, 32)) do
      reaped[#reaped + 1] = {late, reap(late, now, reserved)}
    end
  end
  local waiting = {}
  for _, route in ipairs(p.routes) do
    if call('LLEN', BACKLOG .. route) + call('LLEN', REPLAYING .. route) > 0 then
      waiting[route] = true
    end
  end
  mark_ready(waiting, now, reserved)
  for _, served in ipairs(p.queues) do
    end_rests(served, now, reserved)
    if on_duty(served, now) == 0 then
      reserved[#reserved + 1] = {served, reserve(served, now)}
    end
  end
  if call('LLEN', SUSPECTS) > 0 then
    alert('quarantine', now, reserved)
  end
  return {ok = true, reaped = reaped}
end

local answer = act[p.act]()
answer.reserved = reserved
return cmsgpack.pack(answer)
