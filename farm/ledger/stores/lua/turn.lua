-- Put a job from one of some states to another, if it has no task in the states named empty.
-- KEYS: job. ARGV: sources (JSON), target, empty (JSON: task state codes).
local state = redis.call('HGET', KEYS[1], 'state')
for _, code in ipairs(cjson.decode(ARGV[3])) do
  if tonumber(redis.call('HGET', KEYS[1], code) or 0) > 0 then
    return 0
  end
end
for _, source in ipairs(cjson.decode(ARGV[1])) do
  if source == state then
    redis.call('HSET', KEYS[1], 'state', ARGV[2])
    return 1
  end
end
return 0
