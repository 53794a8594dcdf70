-- What the receivers refused, for people: the newest first, and only so many.
for i = 2, #ARGV do
  call('LPUSH', REFUSALS, ARGV[i])
end
call('LTRIM', REFUSALS, 0, cmsgpack.unpack(ARGV[1]).keep - 1)
return 1
