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
  call('PEXPIRE', PROCESS .. p.name, 4 * p.lives)
  return {in_force = tonumber(call('HGET', META, 'order') or 0), newest = newest(p.now)}
end

function act.leave()
  call('ZREM', PROCESSES, p.name)
  call('DEL', PROCESS .. p.name)
  return {in_force = 0, newest = 0}
end

-- Those alive: {name, kind, host, pid, version, order, why another routes.yaml is refused}.
function act.list()
  local rows = {}
  for _, name in ipairs(call('ZRANGEBYSCORE', PROCESSES, p.now, '+inf')) do
    local at = call('HMGET', PROCESS .. name, 'kind', 'host', 'pid', 'version', 'order', 'refused')
    if at[1] then
      rows[#rows + 1] = {name = name, kind = at[1], host = at[2], pid = tonumber(at[3]), version = at[4],
        order = tonumber(at[5]), refused = at[6]}
    end
  end
  return {rows = rows}
end

return cmsgpack.pack(act[p.act]())
