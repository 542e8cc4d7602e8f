-- Write a new job, unless there is one of this name.
-- KEYS: job, states, jobs, kept, and its other parts. ARGV: job id, state codes, kept views (JSON: pairs of index and
-- count), then the job's fields and values.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('SADD', KEYS[3], ARGV[1]) -- first: nothing is written where this cannot be
for at = 4, #KEYS do
  redis.call('DEL', KEYS[at]) -- what is left of one whose fields are gone
end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('SET', KEYS[2], ARGV[2])
for _, pair in ipairs(cjson.decode(ARGV[3])) do
  redis.call('HSET', KEYS[4], pair[1], pair[2])
end
return 1
