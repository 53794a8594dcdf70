-- Receivers and supervisors say every few seconds that they live, and by which routes.yaml.
local p = cmsgpack.unpack(ARGV[1])
local act = {}

function act.beat()
  for _, gone in ipairs(call('ZRANGEBYSCORE', PROCESSES, '-inf', p.now, 'LIMIT', 0, 100)) do
    call('ZREM', PROCESSES, gone)
    call('DEL', PROCESS .. gone)
  end
  call('ZADD', PROCESSES, p.now + p.lives, p.name)
  call('HSET', PROCESS .. p.name, 'kind', p.kind, 'host', p.host, 'pid', p.pid, 'version', p.version, 'order', p.order,
    'refused', p.refused)
  return {in_force = tonumber(call('HGET', META, 'order') or 0), newest = newest(p.now)}
end

function act.leave()
  call('ZREM', PROCESSES, p.name)
  call('DEL', PROCESS .. p.name)
  return {in_force = 0, newest = 0}
end

return cmsgpack.pack(act[p.act]())
