-- Hands a quarantine drain half of a group whose drain crashed, until the poison message is alone.
local p = cmsgpack.unpack(ARGV[1])
local drain = p.drain
if call('HGET', META, 'id') ~= p.store then
  return {cmsgpack.pack({stale = true})}
end
if not call('ZSCORE', DRAINS, drain) then
  return {cmsgpack.pack({lost = true})}
end
local work = {rows = {''}}
local packed = call('LPOP', SUSPECTS)
if packed then
  local group = cmsgpack.unpack(packed)
  local half = math.ceil(#group / 2)
  if #group > half then
    call('LPUSH', SUSPECTS, cmsgpack.pack({unpack(group, half + 1)}))
  end
  for i = 1, half do
    local ref = group[i]
    local n, route, replay = parts(ref)
    local entry = call('XRANGE', LOG, n, n)[1]
    if entry then
      local state = call('HGET', DELIVERIES .. block(n), field(n, route, replay)) or ''
      local before = tried(state)
      local blob = call('HGET', ATTEMPTS .. block(n), field(n, route, replay)) or ''
      call('HSET', LEASE .. drain, ref, before + 1)
      call('SADD', RUNNING .. route, ref)
      append(work, 'rows', ref, entry[1], entry[2][2], entry[2][4], state, blob)
    else
      drop(ref)
      enlist_waiting(route, p.now)
    end
  end
  call('HSET', DRAIN .. drain, 'alone', half == 1 and 1 or 0)
end
work.rows[1] = cmsgpack.pack({
  more = packed ~= false, full = {}, rest_ms = -1, refused = {}, reserved = {}, relieved = false, breakers = {},
})
return work.rows
