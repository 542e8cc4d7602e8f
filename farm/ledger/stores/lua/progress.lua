-- Set how many views of a running attempt are done; the job's sum follows.
-- KEYS: job, states, records, running. ARGV: index, attempt, views done.
local index = ARGV[1]
local record = redis.call('HGET', KEYS[3], index)
if redis.call('GETRANGE', KEYS[2], index, index) ~= 'r' or not record then
  return 0
end
if cjson.decode(record).attempt ~= tonumber(ARGV[2]) then
  return 0
end
local before = redis.call('HGET', KEYS[4], index) or 0
redis.call('HSET', KEYS[4], index, ARGV[3])
redis.call('HINCRBY', KEYS[1], 'views_done', ARGV[3] - before)
return 1
