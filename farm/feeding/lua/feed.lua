-- Note that a task of a stream is given out, and which parameters its views have.
-- KEYS: stream. ARGV: task, views.
-- Returns the parameters (JSON list, one for each view that has some), or 'done' where all of the
-- task's views were acknowledged.
local s, task, views = KEYS[1], ARGV[1], tonumber(ARGV[2])
if redis.call('EXISTS', s) == 0 then
  return ''
end
local stride = tonumber(redis.call('HGET', s, 'stride'))
local first = tonumber(task) * stride
local known = redis.call('HGET', s .. ':given', task)
if not known and views > 0 and redis.call('GETBIT', s .. ':acked', first) == 1
    and not redis.call('HGET', s .. ':left', task) then
  return 'done'
end
if not known then
  local sent = {}
  for _ = 1, views do
    local one = redis.call('LPOP', s .. ':params')
    if not one then
      break
    end
    table.insert(sent, one)
  end
  known = '[' .. table.concat(sent, ',') .. ']'
  if redis.call('HGET', s, 'duplex') == '1' then
    views = #sent
  end
  redis.call('HSET', s .. ':given', task, known)
  redis.call('HSET', s .. ':sizes', task, views)
  if views > 0 then
    redis.call('HSET', s .. ':left', task, views)
  end
else
  views = tonumber(redis.call('HGET', s .. ':sizes', task) or views)
end
local waiting = 0
for number = first, first + views - 1 do
  if redis.call('GETBIT', s .. ':acked', number) == 0
      and redis.call('HEXISTS', s .. ':live', number) == 0 then
    waiting = waiting + 1
  end
end
if waiting > 0 then
  redis.call('HSET', s .. ':fed', task, waiting)
else
  redis.call('HDEL', s .. ':fed', task)
end
return known
