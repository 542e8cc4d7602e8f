-- Acknowledge samples, renew a consumer's lease, and lend it more.
-- KEYS: stream, bytes of all streams, news. ARGV: consumer, queue, lease (ms), most bytes,
-- numbers that it holds (JSON), numbers that it acknowledges (JSON), 1 where it leaves, its group.
-- Returns {state, numbers that it holds and must drop (JSON), files in memory whose samples were
-- acknowledged now (JSON), number, bytes, number, bytes, ...}.
local s, consumer, queue = KEYS[1], ARGV[1], tonumber(ARGV[2])
if redis.call('EXISTS', s) == 0 then
  return {'gone', '[]', '[]'}
end
local length = tonumber(redis.call('HGET', s, 'length'))
local function is_whole()
  return tonumber(redis.call('HGET', s, 'handed') or '0') >= length
end
if redis.call('HGET', s, 'over') == '1' then
  return {is_whole() and 'over' or 'ended', '[]', '[]'}
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local stride = tonumber(redis.call('HGET', s, 'stride'))
local ordered = redis.call('HGET', s, 'ordered') == '1'
local mine = s .. ':lent:' .. consumer

local files = {}
local function freed()
  return #files > 0 and cjson.encode(files) or '[]'
end

local function release(number)
  local size = redis.call('HGET', s .. ':live', number)
  if size then
    local data = redis.call('GETRANGE', s .. ':data:' .. number, 0, 255)
    if string.sub(data, 1, 1) == 'F' then
      table.insert(files, string.sub(data, 2))
    end
    redis.call('DEL', s .. ':data:' .. number)
    redis.call('HDEL', s .. ':live', number)
    redis.call('ZREM', s .. ':ready', number)
    redis.call('ZREM', s .. ':again', number)
    redis.call('HINCRBY', s, 'bytes', -tonumber(size))
    redis.call('DECRBY', KEYS[2], size)
  end
end

local function hand(number)
  if redis.call('SETBIT', s .. ':handed', number, 1) == 0 then
    redis.call('HINCRBY', s, 'handed', 1)
  end
end

local function lend(number)
  redis.call('SADD', mine, number)
  redis.call('HSET', s .. ':lent', number, consumer)
end

local function give_back(whose)
  for _, number in ipairs(redis.call('SMEMBERS', s .. ':lent:' .. whose)) do
    redis.call('ZADD', s .. ':again', number, number)
    redis.call('HDEL', s .. ':lent', number)
  end
  redis.call('DEL', s .. ':lent:' .. whose)
  redis.call('ZREM', s .. ':consumers', whose)
  redis.call('HDEL', s .. ':credits', whose)
  redis.call('HDEL', s .. ':groups', whose)
  redis.call('HDEL', s .. ':beats', whose)
  redis.call('HDEL', s .. ':quiet', whose)
end

for _, number in ipairs(cjson.decode(ARGV[6])) do
  number = string.format('%d', number)
  local whose = redis.call('HGET', s .. ':lent', number)  -- perhaps another one's: by hand
  if whose then
    redis.call('SREM', s .. ':lent:' .. whose, number)
    redis.call('HDEL', s .. ':lent', number)
  end
  if redis.call('SETBIT', s .. ':acked', number, 1) == 0 then
    redis.call('HINCRBY', s, 'acked', 1)
    hand(number)
    local task = string.format('%d', math.floor(tonumber(number) / stride))
    if redis.call('HEXISTS', s .. ':left', task) == 1
        and redis.call('HINCRBY', s .. ':left', task, -1) <= 0 then
      redis.call('HDEL', s .. ':left', task)
      redis.call('HDEL', s .. ':given', task)
    end
  end
  release(number)
end

if ARGV[7] == '1' then
  give_back(consumer)
  return {'left', '[]', freed()}
end
if queue > 0 then  -- else it only acknowledges
  redis.call('ZADD', s .. ':consumers', now + tonumber(ARGV[3]), consumer)
  redis.call('HSET', s .. ':credits', consumer, queue)
  redis.call('HSET', s .. ':groups', consumer, ARGV[8])
  redis.call('HSET', s .. ':beats', consumer, now)
end
for _, whose in ipairs(redis.call('ZRANGEBYSCORE', s .. ':consumers', '-inf', now)) do
  give_back(whose)
end

redis.call('LPUSH', KEYS[3], 1)  -- the dispatcher may have something to feed
redis.call('LTRIM', KEYS[3], 0, 0)

local held, drop = {}, {}
for _, number in ipairs(cjson.decode(ARGV[5])) do
  number = string.format('%d', number)
  if redis.call('SISMEMBER', mine, number) == 0 then
    if redis.call('ZREM', s .. ':again', number) == 1 then
      lend(number)
      held[number] = true
    else
      table.insert(drop, number)
    end
  else
    held[number] = true
  end
end

local answer, sum = {'more', '[]', freed()}, 0
local function add(number)
  local data = redis.call('GET', s .. ':data:' .. number)
  sum = sum + #(data or '')
  if data then
    table.insert(answer, number)
    table.insert(answer, data)
  end
  return data
end
local most = tonumber(ARGV[4])
for _, number in ipairs(redis.call('SMEMBERS', mine)) do
  if not held[number] and sum < most then  -- an answer that did not arrive
    add(number)
  end
end

local function next_number()
  local again = redis.call('ZRANGE', s .. ':again', 0, 0)[1]
  if again then
    redis.call('ZREM', s .. ':again', again)
    return again
  end
  if is_whole() then
    return nil
  end
  local first = redis.call('ZRANGE', s .. ':ready', 0, 0, 'WITHSCORES')
  if ordered then
    local due = tonumber(redis.call('HGET', s, 'next') or '0')
    while true do  -- past the ends of tasks, and tasks that failed
      local task = math.floor(due / stride)
      local size = redis.call('HGET', s .. ':sizes', string.format('%d', task))
      if not size or due - task * stride < tonumber(size) then
        break
      end
      redis.call('HDEL', s .. ':sizes', string.format('%d', task))
      due = (task + 1) * stride
    end
    redis.call('HSET', s, 'next', string.format('%d', due))
    if not first[1] or tonumber(first[2]) > due then
      return nil
    end
    if tonumber(first[2]) == due then
      redis.call('HSET', s, 'next', string.format('%d', due + 1))
    end
  end
  if first[1] then
    redis.call('ZREM', s .. ':ready', first[1])
  end
  return first[1]
end

while redis.call('SCARD', mine) < queue and sum < most do
  local number = next_number()
  if not number then
    break
  end
  if add(number) then
    hand(number)
    lend(number)
  else
    redis.call('HDEL', s .. ':live', number)
  end
end
local over = redis.call('ZCARD', s .. ':again') == 0
  and (is_whole()
    or (redis.call('HGET', s, 'ended') == '1' and redis.call('ZCARD', s .. ':ready') == 0))
if not over then
  redis.call('HDEL', s .. ':quiet', consumer)
else  -- unless a consumer of another training has died just now: what it has is for us
  redis.call('HSETNX', s .. ':quiet', consumer, now)
  local since = tonumber(redis.call('HGET', s .. ':quiet', consumer))
  local waits = math.min(2000, ARGV[3] / 3)  -- for so long, requests of the dead still beat
  for _, whose in ipairs(redis.call('ZRANGE', s .. ':consumers', 0, -1)) do
    if redis.call('HGET', s .. ':groups', whose) ~= ARGV[8]
        and redis.call('SCARD', s .. ':lent:' .. whose) > 0
        and tonumber(redis.call('HGET', s .. ':beats', whose)) <= since + waits then
      over = false
    end
  end
end
if over then
  answer[1] = is_whole() and 'over' or 'ended'
end
if #drop > 0 then
  answer[2] = cjson.encode(drop)
end
return answer
