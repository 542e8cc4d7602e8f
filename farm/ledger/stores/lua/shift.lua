-- Move tasks that still stand where the mover saw them; see Store.shift.
-- KEYS: job, states, records, returned, running, kept, conduct. ARGV: the order as JSON.
local job, states, records, returned, running = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local kept, conduct = KEYS[6], KEYS[7]
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
for _, task in ipairs(order.given) do
  open = open and redis.call('GETRANGE', states, task[1], task[1]) == task[2]
end
if not open then
  return moved
end

local function stands(move)
  if redis.call('GETRANGE', states, move.index, move.index) ~= move.source then
    return false
  end
  local text = redis.call('HGET', records, move.index)
  local record = text and cjson.decode(text) or {}
  return (record.attempt or 0) == move.attempt
    and (move.edits < 0 or (record.edits or 0) == move.edits)
end

local function leave_running(move)
  local views = redis.call('HGET', running, move.index) or '0'
  redis.call('HDEL', running, move.index)
  if move.target ~= 'd' and views ~= '0' then
    redis.call('HSET', kept, move.index, views)
  end
end

local function enter_running(move)
  redis.call('HSET', running, move.index, redis.call('HGET', kept, move.index) or 0)
  redis.call('HDEL', kept, move.index)
end

local function change_state(move)
  redis.call('SETRANGE', states, move.index, move.target)
  redis.call('HINCRBY', job, move.source, -1)
  redis.call('HINCRBY', job, move.target, 1)
  if move.target == 'p' then
    redis.call('ZADD', returned, move.index, move.index)
  elseif move.source == 'p' then
    redis.call('ZREM', returned, move.index)
  end
  if move.source == 'r' then
    leave_running(move)
  elseif move.target == 'r' then
    enter_running(move)
  end
end

local function trim(done, most)
  local count, oldest = 0, nil
  for name, time in pairs(done) do
    count = count + 1
    if not oldest or time < done[oldest] then
      oldest = name
    end
  end
  if count > most then
    done[oldest] = nil
  end
end

local function note(outcome)
  local noted = cjson.decode(redis.call('HGET', conduct, outcome.node) or '{}')
  if outcome.suspect then
    noted.suspects = noted.suspects or {}
    table.insert(noted.suspects, outcome.suspect)
    if #noted.suspects > outcome.most_suspects then
      table.remove(noted.suspects, 1)
    end
  else
    noted.suspects = nil
    noted.done = noted.done or {}
    noted.done[outcome.job_id] = outcome.time_s
    trim(noted.done, outcome.most_jobs)
    if noted.quarantine and noted.quarantine.over then
      noted.quarantine = nil
    end
  end
  redis.call('HSET', conduct, outcome.node, cjson.encode(noted))
end

local any = false
for at, move in ipairs(order.moves) do
  if stands(move) then
    if move.source ~= move.target then
      change_state(move)
    end
    if move.record == '' then
      redis.call('HDEL', records, move.index)
    else
      redis.call('HSET', records, move.index, move.record)
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
if any and order.counter ~= '' then
  redis.call('HINCRBY', job, order.counter, 1)
end
if any and order.outcome and not pcall(note, order.outcome) then
  redis.pcall('HDEL', conduct, order.outcome.node) -- somebody has damaged it
end
return moved
