-- Makes a configuration known to the store: gives numbers to new routes and sources' paths; that of the workers also
-- says which queue serves a route, and how many of its deliveries may run at once and a second. Of several that are
-- served at the same time the newest is in force, whoever publishes last. `serving` is '' (only make known), 'empty'
-- (put in force unless one is), 'again' (one that workers were given before, unless somebody serves a newer one), or
-- 'anew'.
local p = cmsgpack.unpack(ARGV[1])
local id = call('HGET', META, 'id')
if not id then
  id = p.new_id
  call('HSET', META, 'id', id, 'created', p.now)
end
if #p.paths > 0 then
  each_slice('SADD', PATHS, p.paths)
end
local numbers = {}
for _, route in ipairs(p.routes) do
  local name = route[1]
  local number = call('HGET', ROUTES, name)
  if not number then
    number = tostring(call('INCR', ROUTESEQ))
    call('HSET', ROUTES, name, number)
    call('HSET', ROUTE .. number, 'name', name)
  end
  numbers[name] = tonumber(number)
end

-- When this version came in among those that workers were given; `p.order` is what another store, now gone, said.
local function order()
  local known = p.serving ~= 'anew' and call('ZSCORE', VERSIONS, p.version)
  if known then
    return tonumber(known)
  end
  local last = tonumber(call('HGET', META, 'versions') or 0)
  local mine = p.serving ~= 'anew' and p.order > 0 and p.order or last + 1
  call('HSET', META, 'versions', math.max(last, mine))
  call('ZADD', VERSIONS, mine, p.version)
  call('ZREMRANGEBYRANK', VERSIONS, 0, -101)
  return mine
end

-- Whoever rests by a rate that is no more goes by the new one at once: the old may be one an hour.
local function end_old_rest(number, rate)
  local was = tonumber(call('HGET', ROUTE .. number, 'rate') or nil)
  if was ~= (rate or nil) and call('HGET', BREAKER .. number, 'state') ~= 'open' then
    call('HDEL', ROUTE .. number, 'rests')
  end
end

local mine, in_force = 0, p.serving ~= ''
if p.serving == 'empty' and call('HEXISTS', META, 'config') == 1 then
  in_force = false
elseif in_force then
  mine = order()
  in_force = p.serving == 'anew' or mine >= newest(p.now, p.process)
end
if in_force then
  local old = {}
  local all = call('HGETALL', ROUTES)
  for i = 1, #all, 2 do
    old[all[i + 1]] = call('HGET', ROUTE .. all[i + 1], 'queue')
  end
  local waiting = {}
  for _, route in ipairs(p.routes) do
    local number = tostring(numbers[route[1]])
    if old[number] and old[number] ~= route[2] then
      call('ZREM', READY .. old[number], number)
    end
    old[number] = nil
    call('HSET', ROUTE .. number, 'queue', route[2], 'concurrency', route[3])
    call('HDEL', ROUTE .. number, 'gone')
    end_old_rest(number, route[4])
    if route[4] then
      call('HSET', ROUTE .. number, 'rate', route[4])
    else
      call('HDEL', ROUTE .. number, 'rate')
    end
    if call('LLEN', BACKLOG .. number) + call('LLEN', REPLAYING .. number) > 0 then
      waiting[number] = true
    end
  end
  for number, queue in pairs(old) do
    if queue then
      call('HDEL', ROUTE .. number, 'queue')
      call('HSET', ROUTE .. number, 'gone', p.now)
      call('ZREM', READY .. queue, number)
    end
  end
  call('HSET', META, 'config', p.version, 'order', mine)
  for queue in pairs(enlist(waiting, p.now)) do
    wake(queue)  -- drains are the caller's own next concern
  end
end
local names = {}
local all = call('HGETALL', ROUTES)
for i = 1, #all, 2 do
  names[all[i]] = tonumber(all[i + 1])
end
return cmsgpack.pack({id = id, routes = names, order = mine})
