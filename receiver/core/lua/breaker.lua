-- The circuit breaker of a route. It opens when the destination fails (no connection, no answer in time, 5xx), holds
-- what waits, lets one attempt probe, and then twice as many at a time. What is claimed at a time while it does is the
-- route's `limit`; no breaker, no limit. A route whose destination does not fail has no key here.
local FEW = 5             -- failures that open it, if they are half of the attempts
local MANY = 64           -- attempts that are remembered, about
local LAPSE_MS = 60000    -- what failed is forgotten when nothing failed for so long
local FIRST_MS, LONGEST_MS = 5000, 300000  -- until a probe; twice as long after each that fails

-- `changes` collects {route, state, reason, ms until the next probe, limit} for the log of the drain. `trips`: how
-- often it opened before, since it was last closed; the reason it shows is the first one.
local function open(route, reason, trips, now, changes)
  local wait = math.min(FIRST_MS * 2 ^ trips, LONGEST_MS)
  if call('HSETNX', BREAKER .. route, 'reason', reason) == 1 then
    call('HSET', BREAKER .. route, 'since', now)
  end
  call('HSET', BREAKER .. route, 'state', 'open', 'trips', trips + 1, 'failed', 0, 'worked', 0, 'held', 0)
  call('PERSIST', BREAKER .. route)
  call('HSET', ROUTE .. route, 'limit', 1)
  local queue = call('HGET', ROUTE .. route, 'queue')
  if queue then
    rest(route, queue, now + wait)
  end
  changes[#changes + 1] = {tonumber(route), 'open', reason, wait, 1}
end

local function close(route, changes)
  call('DEL', BREAKER .. route)
  call('HDEL', ROUTE .. route, 'limit', 'rests')
  changes[#changes + 1] = {tonumber(route), 'closed', '', 0, 0}
end

local function remember(route, state, seen)
  local failed, worked, held = seen.failed, seen.worked, seen.held
  while failed + worked + held > MANY do
    failed, worked, held = math.floor(failed / 2), math.floor(worked / 2), math.floor(held / 2)
  end
  call('HSET', BREAKER .. route, 'state', state, 'failed', failed, 'worked', worked, 'held', held)
end

local function reason_of(seen, code)
  local failed = seen.failed + seen.held
  return failed .. ' of ' .. failed + seen.worked .. ' attempts failed, the last with ' .. code
end

-- A stage of the way back is over when as many attempts ended as it lets run at a time.
local function judge_stage(route, seen, code, trips, now, changes)
  local failed = seen.failed + seen.held
  local limit, concurrency = unpack(call('HMGET', ROUTE .. route, 'limit', 'concurrency'))
  limit = tonumber(limit or 1)
  if failed + seen.worked < limit then
    call('HSET', BREAKER .. route, 'failed', seen.failed, 'worked', seen.worked, 'held', seen.held)
  elseif failed > 0 and failed >= seen.worked then
    -- Where nothing was sent, nothing is known: it does not wait longer for that.
    open(route, reason_of(seen, code), seen.failed > 0 and trips or trips - 1, now, changes)
  elseif limit * 2 >= tonumber(concurrency or 1) then
    close(route, changes)
  else
    call('HSET', ROUTE .. route, 'limit', limit * 2)
    call('HSET', BREAKER .. route, 'state', 'releasing', 'failed', 0, 'worked', 0, 'held', 0)
    changes[#changes + 1] = {tonumber(route), 'releasing', '', 0, limit * 2}
  end
end

-- What the attempts of a route that ended in one call say of its destination: how many `failed` by it, with which
-- `code` the last of them, how many `worked` or failed by themselves, how many were `held` because its host is down.
local function untold()
  return {failed = 0, worked = 0, held = 0, code = ''}
end

local function tally(ended, failure, held)
  if failure == '' and held then
    return  -- it waits for no fault of the destination
  end
  local kind = failure == '' and 'worked' or held and 'held' or 'failed'
  ended[kind] = ended[kind] + 1
  ended.code = failure ~= '' and failure or ended.code
end

local function judge(route, ended, now, changes)
  local at = call('HMGET', BREAKER .. route, 'state', 'failed', 'worked', 'held', 'trips')
  if at[1] == 'open' or (not at[1] and ended.failed + ended.held == 0) then
    return  -- when it is open: what began before
  end
  local seen = {failed = ended.failed + (at[2] or 0), worked = ended.worked + (at[3] or 0),
    held = ended.held + (at[4] or 0)}
  if at[1] == 'probing' or at[1] == 'releasing' then
    return judge_stage(route, seen, ended.code, tonumber(at[5]), now, changes)
  end
  -- Where a route has several hosts, one of them that is down is not the route's concern.
  local half = seen.failed >= FEW and seen.failed >= seen.worked
  local all = seen.failed + seen.held >= FEW and seen.worked == 0
  if half or all then
    return open(route, reason_of(seen, ended.code), 0, now, changes)
  end
  remember(route, 'closed', seen)
  if ended.failed + ended.held > 0 then
    call('PEXPIRE', BREAKER .. route, LAPSE_MS)
  end
end

-- Attempts were claimed while the breaker is not closed: the first one after it opened is the probe.
local function probe(route, changes)
  if call('HGET', BREAKER .. route, 'state') == 'open' then
    call('HSET', BREAKER .. route, 'state', 'probing')
    changes[#changes + 1] = {tonumber(route), 'probing', '', 0, 1}
  end
end
