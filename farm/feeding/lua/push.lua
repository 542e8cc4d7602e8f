-- Keep a sample until it is acknowledged.
-- KEYS: stream, bytes of all streams. ARGV: number, size, bytes, bound.
local s, number, size = KEYS[1], ARGV[1], tonumber(ARGV[2])
if redis.call('EXISTS', s) == 0 or redis.call('HGET', s, 'over') == '1' then
  return 'over'
end
if redis.call('GETBIT', s .. ':acked', number) == 1
    or redis.call('HEXISTS', s .. ':live', number) == 1 then
  return 'known'
end
local all = tonumber(redis.call('GET', KEYS[2]) or '0')
if all > 0 and all + size > tonumber(ARGV[4]) then
  return 'full'
end
redis.call('INCRBY', KEYS[2], size)
redis.call('HINCRBY', s, 'bytes', size)
if size > tonumber(redis.call('HGET', s, 'largest') or '0') then
  redis.call('HSET', s, 'largest', size)
end
redis.call('HSET', s .. ':live', number, size)
redis.call('SET', s .. ':data:' .. number, ARGV[3])
local place = number
if redis.call('HGET', s, 'ordered') ~= '1' then
  place = redis.call('HINCRBY', s, 'arrivals', 1)
end
redis.call('ZADD', s .. ':ready', place, number)
local task = math.floor(tonumber(number) / tonumber(redis.call('HGET', s, 'stride')))
if tonumber(redis.call('HINCRBY', s .. ':fed', task, -1)) <= 0 then
  redis.call('HDEL', s .. ':fed', task)
end
return 'kept'
