-- Records how attempts ended. Refused, one by one, where the drain no longer holds the lease of that attempt.
local p = cmsgpack.unpack(ARGV[1])
local now, drain = p.now, p.drain
local refs = {}
for i, result in ipairs(p.results) do
  refs[i] = result[1]
end
local held = {}
for first = 1, #refs, 4000 do
  local last = math.min(first + 3999, #refs)
  for i, attempt in ipairs(call('HMGET', LEASE .. drain, unpack(refs, first, last))) do
    held[first + i - 1] = attempt
  end
end

local refused, ended, running, records, blobs, unblob = {}, {}, {}, {}, {}, {}
local back, debts, counts, touched, reserved = {}, {}, {}, {}, {}
for i, result in ipairs(p.results) do
  local ref, attempt, status, record, due, blob, pause = unpack(result)
  if held[i] ~= tostring(attempt) then
    refused[#refused + 1] = ref
  else
    local n, route, replay = parts(ref)
    ended[#ended + 1] = ref
    append(running, RUNNING .. route, ref)
    touched[route] = true
    if status == 'b' then
      append(back, (replay == '0' and BACKLOG or REPLAYING) .. route, ref)
    else
      append(records, DELIVERIES .. block(n), field(ref), record)
      if blob ~= '' then
        append(blobs, ATTEMPTS .. block(n), field(ref), blob)
      elseif attempt > 1 then
        append(unblob, ATTEMPTS .. block(n), field(ref))
      end
      if status == 'w' then
        call('ZADD', LATER, due, ref)
        bump(counts, route .. ':retried')
      elseif status == 'x' then
        call('ZADD', DEAD .. route, now, ref)
        bump(counts, route .. ':dead')
      else
        bump(debts, n)
        bump(counts, route .. (status == 'p' and ':dropped' or ':delivered'))
      end
      if replay ~= '0' and status ~= 'w' then
        local outcome = status == 'x' and 'dead' or status == 'p' and 'dropped' or 'delivered'
        call('HINCRBY', REPLAY .. replay, outcome, 1)
      end
    end
    if pause ~= '' then
      call('HSET', ROUTE .. route, 'paused', pause)
      local queue = call('HGET', ROUTE .. route, 'queue')
      if queue then
        call('ZREM', READY .. queue, route)
      end
    end
  end
end

if #ended > 0 then
  each_slice('HDEL', LEASE .. drain, ended)
end
for key, members in pairs(running) do
  each_slice('SREM', key, members)
end
for key, fields in pairs(records) do
  each_slice('HSET', key, fields)
end
for key, fields in pairs(blobs) do
  each_slice('HSET', key, fields)
end
for key, fields in pairs(unblob) do
  each_slice('HDEL', key, fields)
end
for key, members in pairs(back) do
  each_slice('LPUSH', key, members)
end
pay(debts)
count(counts, now)
if p.quarantine and #refs > 0 then
  each_slice('HDEL', CRASHES, refs)
end
-- A freed slot may be what another drain waits for.
for route in pairs(touched) do
  if call('LLEN', BACKLOG .. route) + call('LLEN', REPLAYING .. route) == 0 then
    touched[route] = nil
  end
end
mark_ready(touched, now, reserved)
return cmsgpack.pack({refused = refused, reserved = reserved})
