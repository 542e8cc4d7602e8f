-- Take or renew a lease, unless somebody else holds it; return who holds it now.
-- KEYS: lease. ARGV: holder, milliseconds.
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then
  return held
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
