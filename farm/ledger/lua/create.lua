-- Write a new job, unless there is one of this name.
-- KEYS: job, states, jobs. ARGV: job id, state codes, then the job's fields and values.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SADD', KEYS[3], ARGV[1])
return 1
