-- Rests: a route that may not be claimed before a certain time is not among the ready ones until then.

-- A route's queue sees it again at `from`, in ms: a drain of the queue wakes then, and the sweeper looks as well.
local function rest(route, queue, from)
  call('HSET', ROUTE .. route, 'rests', from)
  call('ZREM', READY .. queue, route)
  call('ZADD', RESTING .. queue, from, route)
end

local function end_rests(queue, now, reserved)
  local over = call('ZRANGEBYSCORE', RESTING .. queue, '-inf', now, 'LIMIT', 0, 256)
  if #over == 0 then
    return
  end
  call('ZREM', RESTING .. queue, unpack(over))
  local routes = {}
  for _, route in ipairs(over) do
    routes[route] = true
  end
  mark_ready(routes, now, reserved)
end

-- A route's rate, by the server's clock, as rate.lua keeps the others: the key holds from when on the next may go, in
-- µs. What was left unused may be caught up with for a tenth of a second.
local BURST = 100000
local CLOSEST_MS = 10  -- a drain does not wake more often for a route

-- What of a route's rate (a second) is left: `count` may go now.
local function allowance(route, rate)
  local time, cost = call('TIME'), 1000000 / rate
  local us, burst = time[1] * 1000000 + time[2], math.max(BURST, cost)
  local free = tonumber(call('GET', RATE .. 'route:' .. route) or 0)
  if free > us + cost + 1 then  -- by a slower rate that is no more, or a clock that was set back: it would never come
    free = us
  end
  free = math.max(free, us + cost - burst)
  return {route = route, us = us, cost = cost, burst = burst, free = free,
    count = math.max(0, math.floor((us - free) / cost) + 1)}
end

-- Answers in how many ms the next may go.
local function spend(left, count)
  local free = left.free + count * left.cost
  if count > 0 then
    call('SET', RATE .. 'route:' .. left.route, string.format('%.0f', free), 'PX',
      math.ceil((free - left.us + left.burst) / 1000) + 1000)
  end
  return math.max(CLOSEST_MS, math.ceil((free - left.us) / 1000))
end
