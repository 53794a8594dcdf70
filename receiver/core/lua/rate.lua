-- Takes a turn at a rate that everybody shares, by the server's clock. The key holds from when on the next may go,
-- in µs: what is taken pushes it on, and what was left unused reaches back for no longer than `burst`. Answers how
-- long to wait, in µs; above `patience` nothing was taken.
local p = cmsgpack.unpack(ARGV[1])
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local free = math.max(tonumber(call('GET', RATE .. p.name) or 0), now - p.burst)
local wait = math.max(0, free - now)
if wait <= p.patience then
  free = free + p.cost
  call('SET', RATE .. p.name, string.format('%.0f', free), 'PX', math.ceil((free - now + p.burst) / 1000) + 1000)
end
return math.ceil(wait)
