-- Makes a configuration known to the store: gives numbers to new routes and sources' paths; a worker's
-- configuration also says which queue serves a route and how many of its deliveries may run at once.
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
if p.serving then
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
    if call('LLEN', BACKLOG .. number) + call('LLEN', REPLAYING .. number) > 0 then
      waiting[number] = true
    end
  end
  for number, queue in pairs(old) do
    if queue then
      call('HDEL', ROUTE .. number, 'queue')
      call('ZREM', READY .. queue, number)
    end
  end
  call('HSET', META, 'config', p.version)
  for queue in pairs(enlist(waiting, p.now)) do
    wake(queue)  -- drains are the caller's own next concern
  end
end
local names = {}
local all = call('HGETALL', ROUTES)
for i = 1, #all, 2 do
  names[all[i]] = tonumber(all[i + 1])
end
return cmsgpack.pack({id = id, routes = names})
