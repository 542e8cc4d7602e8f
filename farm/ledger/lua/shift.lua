-- Move tasks that still stand where the mover saw them; see Store.shift.
-- KEYS: job, states, records, returned, running. ARGV: the order as JSON.
local job, states, records, returned, running = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local order = cjson.decode(ARGV[1])
local moved = {}
for at = 1, #order.moves do
  moved[at] = 0
end

local state = redis.call('HGET', job, 'state')
local open = false
for _, name in ipairs(order.job_states) do
  open = open or name == state
end
if not open then
  return moved
end

local function stands(move)
  if redis.call('GETRANGE', states, move.index, move.index) ~= move.source then
    return false
  end
  local record = redis.call('HGET', records, move.index)
  return (record and cjson.decode(record).attempt or 0) == move.attempt
end

local function leave_running(move)
  local views = redis.call('HGET', running, move.index) or 0
  redis.call('HDEL', running, move.index)
  if move.target ~= 'd' then
    redis.call('HINCRBY', job, 'views_done', -views)
  end
end

local any = false
for at, move in ipairs(order.moves) do
  if stands(move) then
    redis.call('SETRANGE', states, move.index, move.target)
    redis.call('HINCRBY', job, move.source, -1)
    redis.call('HINCRBY', job, move.target, 1)
    if move.record == '' then
      redis.call('HDEL', records, move.index)
    else
      redis.call('HSET', records, move.index, move.record)
    end
    if move.target == 'p' then
      redis.call('ZADD', returned, move.index, move.index)
    elseif move.source == 'p' then
      redis.call('ZREM', returned, move.index)
    end
    if move.source == 'r' then
      leave_running(move)
    elseif move.target == 'r' then
      redis.call('HSET', running, move.index, 0)
    end
    moved[at] = 1
    any = true
  end
end

if any and order.ripple[state] then
  redis.call('HSET', job, 'state', order.ripple[state])
end
if any and order.hold > 0 then
  redis.call('HSET', job, 'hold', order.hold)
end
return moved
