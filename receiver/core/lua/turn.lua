-- One turn of a drain: settles the attempts that ended, then hands out the next work, so that a slot is free for
-- no longer than this call takes. Bodies are no text, so the answer is a list: a packed summary, then six values
-- of each reference claimed.
local p = cmsgpack.unpack(ARGV[1])
if call('HGET', META, 'id') ~= p.store then
  return {cmsgpack.pack({stale = true})}
end
local turn = {p = p, now = p.now, reserved = {}, changes = {}}
local answer = {''}

local refused = #p.results > 0 and settle(turn) or {}
if p.max > 0 and not call('ZSCORE', DRAINS, p.drain) then
  return {cmsgpack.pack({lost = true})}
end
local more, full = false, {}
if p.max > 0 then
  more, full = claim(turn, answer)
end

-- In how many ms the next work becomes due; -1: none waits for a time.
local function next_due()
  local later = call('ZRANGE', LATER, 0, 0, 'WITHSCORES')[2]
  local rested = call('ZRANGE', RESTING .. p.queue, 0, 0, 'WITHSCORES')[2]
  if not later and not rested then
    return -1
  end
  return math.max(0, math.min(tonumber(later or rested), tonumber(rested or later)) - turn.now)
end

answer[1] = cmsgpack.pack({
  refused = refused, more = more, full = full, rest_ms = next_due(), reserved = turn.reserved,
  relieved = p.leaving and signed_on(p.queue, turn.now) > 0, breakers = turn.changes,
})
return answer
