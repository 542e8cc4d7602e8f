-- Move keys aside under names that tell when, forget them, and count that once.
-- KEYS: counts, jobs, then those to move. ARGV: kind, stamp, seconds to keep, job id or ''.
if ARGV[4] ~= '' then
  redis.pcall('SREM', KEYS[2], ARGV[4])
end
local moved = 0
for at = 3, #KEYS do
  if redis.call('EXISTS', KEYS[at]) == 1 then
    local name = 'farm:damaged:' .. ARGV[2] .. ':' .. string.gsub(KEYS[at], '^farm:', '')
    redis.call('RENAME', KEYS[at], name)
    redis.call('EXPIRE', name, ARGV[3])
    moved = moved + 1
  end
end
if moved > 0 then
  if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
    redis.call('DEL', KEYS[1])
  end
  redis.pcall('HINCRBY', KEYS[1], ARGV[1], 1)
end
return moved
