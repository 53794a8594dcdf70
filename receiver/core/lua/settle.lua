-- Settling: how attempts ended is recorded. Refused, one by one, where the drain no longer holds the lease of that
-- attempt. The letters are those of records.py.

-- Which of the results still count: the attempt that the drain's lease names, for each.
local function leased(drain, refs)
  local held = {}
  for first = 1, #refs, 4000 do
    local last = math.min(first + 3999, #refs)
    for i, attempt in ipairs(call('HMGET', LEASE .. drain, unpack(refs, first, last))) do
      held[first + i - 1] = attempt
    end
  end
  return held
end

local function hold(route, reason)
  call('HSET', ROUTE .. route, 'paused', reason)
  local queue = call('HGET', ROUTE .. route, 'queue')
  if queue then
    call('ZREM', READY .. queue, route)
  end
end

local OUTCOMES = {x = 'dead', p = 'dropped', d = 'delivered'}
local APART = {segment_loop = 'looped'}  -- drops that are counted by their code as well

-- `turn` is the call: its arguments, what it reserves, the changes of breakers it collects.
local function settle(turn)
  local p, now = turn.p, turn.now
  local refs = {}
  for i, result in ipairs(p.results) do
    refs[i] = result[1]
  end
  local held = leased(p.drain, refs)
  local refused, ended, running, records, blobs, unblob = {}, {}, {}, {}, {}, {}
  local back, debts, counts, touched, passing = {}, {}, {}, {}, {}
  for i, result in ipairs(p.results) do
    local ref, attempt, status, record, due, blob, pause, failure = unpack(result)
    if held[i] ~= tostring(attempt) then
      refused[#refused + 1] = ref
    else
      local n, route, replay = parts(ref)
      ended[#ended + 1] = ref
      append(running, RUNNING .. route, ref)
      local seen = touched[route]
      if not seen then
        seen = untold()
        seen.ordered = call('EXISTS', TURNS .. route) == 1
        touched[route] = seen
      end
      if status == 'b' then
        append(back, (replay == '0' and BACKLOG or REPLAYING) .. route, ref)
      else
        append(records, DELIVERIES .. block(n), field(n, route, replay), record)
        if blob ~= '' then
          append(blobs, ATTEMPTS .. block(n), field(n, route, replay), blob)
        elseif attempt > 1 then
          append(unblob, ATTEMPTS .. block(n), field(n, route, replay))
        end
        tally(seen, failure, status == 'h')
        local outcome = OUTCOMES[status]
        if not outcome then
          call('ZADD', LATER, due, ref)
          if status ~= 'h' then
            bump(counts, route .. ':retried')
          end
        elseif status == 'x' then
          call('ZADD', DEAD .. route, now, ref)
          bump(counts, route .. ':dead')
        else
          bump(debts, n)
          bump(counts, route .. ':' .. outcome)
          local apart = status == 'p' and APART[string.match(record, '^p|%d*|%d*|([%w_]*)')]
          if apart then
            bump(counts, route .. ':' .. apart)
          end
        end
        if replay ~= '0' and outcome then
          call('HINCRBY', REPLAY .. replay, outcome, 1)
        end
        if seen.ordered and (outcome or status == 'o') then
          passing[#passing + 1] = {route, ref, status == 'x' or status == 'o'}
          if status == 'o' then
            bump(counts, route .. ':overtaken')
          end
        end
      end
      if pause ~= '' then
        hold(route, pause)
      end
    end
  end

  if #ended > 0 then
    each_slice('HDEL', LEASE .. p.drain, ended)
  end
  each_key('SREM', running)
  each_key('HSET', records)
  each_key('HSET', blobs)
  each_key('HDEL', unblob)
  each_key('LPUSH', back)
  for _, pass in ipairs(passing) do
    pass_turn(unpack(pass))
  end
  pay(debts)
  count(counts, now)
  if p.quarantine and #refs > 0 then
    each_slice('HDEL', CRASHES, refs)
  end

  -- Freed slots: this very call may fill those of its own queue; who waits for others is woken.
  for route, seen in pairs(touched) do
    judge(route, seen, now, turn.changes)
    if call('LLEN', BACKLOG .. route) + call('LLEN', REPLAYING .. route) == 0 then
      touched[route] = nil
    end
  end
  for queue in pairs(enlist(touched, now)) do
    if queue ~= p.queue or p.max == 0 then
      alert(queue, now, turn.reserved)
    end
  end
  return refused
end
