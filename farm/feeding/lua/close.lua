-- Keep nothing of a stream but how it stands.
-- KEYS: stream, bytes of all streams, names of all streams. ARGV: name, seconds for which it is known.
local s = KEYS[1]
if redis.call('EXISTS', s) == 0 or redis.call('HGET', s, 'over') == '1' then
  return 0
end
redis.call('DECRBY', KEYS[2], tonumber(redis.call('HGET', s, 'bytes') or '0'))
for _, number in ipairs(redis.call('HKEYS', s .. ':live')) do
  redis.call('DEL', s .. ':data:' .. number)
end
for _, consumer in ipairs(redis.call('ZRANGE', s .. ':consumers', 0, -1)) do
  redis.call('DEL', s .. ':lent:' .. consumer)
end
for _, part in ipairs({'live', 'ready', 'again', 'consumers', 'credits', 'given', 'left', 'sizes',
                       'fed', 'params', 'lent', 'groups', 'beats', 'quiet', 'acked', 'handed'}) do
  redis.call('DEL', s .. ':' .. part)
end
redis.call('HSET', s, 'over', 1, 'bytes', 0)
redis.call('EXPIRE', s, ARGV[2])
redis.call('SREM', KEYS[3], ARGV[1])
return 1
