-- Add what a worker did for a job since it said so last.
-- KEYS: sums, line (views by step of time), workers (seconds by node), workers' views, textures that lack.
-- ARGV: what it did as JSON, most points of the line, its first step in seconds, most workers, most textures, seconds
-- that all is kept.
local sums, line, workers, views_of, textures = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local told = cjson.decode(ARGV[1])
local most_points, first_step = tonumber(ARGV[2]), tonumber(ARGV[3])

local function add(key, field, seconds)
  if seconds ~= 0 then
    redis.call('HINCRBYFLOAT', key, field, string.format('%.6f', seconds))
  end
end

-- Make the steps twice as long: what lay in two of them lies in one.
local function widen(step)
  local found, halved = redis.call('HGETALL', line), {}
  for at = 1, #found, 2 do
    local place = tonumber(found[at])
    if place then
      local half = math.floor(place / 2)
      halved[half] = (halved[half] or 0) + tonumber(found[at + 1])
    end
  end
  redis.call('DEL', line)
  for place, count in pairs(halved) do
    redis.call('HSET', line, string.format('%d', place), count)
  end
  return step * 2
end

local function draw(views)
  local now = tonumber(redis.call('TIME')[1])
  local step = tonumber(redis.call('HGET', line, 'step')) or first_step
  local first = tonumber(redis.call('HGET', line, 'first')) or math.floor(now / step)
  while math.floor(now / step) - first >= most_points do
    step = widen(step)
    first = math.floor(first / 2)
  end
  redis.call('HSET', line, 'step', step, 'first', first)
  redis.call('HINCRBY', line, string.format('%d', math.floor(now / step)), views)
end

redis.call('HINCRBY', sums, 'views', told.views)
redis.call('HINCRBY', sums, 'timed', told.timed)
for stage, seconds in pairs(told.stages) do
  add(sums, 'stage ' .. stage, seconds)
end
if told.views > 0 then
  draw(told.views)
end

local node = told.node
if redis.call('HEXISTS', workers, node) == 0 and redis.call('HLEN', workers) >= tonumber(ARGV[4]) then
  node = ''
end
add(workers, node, told.spent_s)
redis.call('HINCRBY', views_of, node, told.views)

for asset, files in pairs(told.missing) do
  if redis.call('HLEN', textures) < tonumber(ARGV[5]) then
    redis.call('HSET', textures, asset, cjson.encode(files))
  end
end
for _, key in ipairs(KEYS) do
  redis.call('EXPIRE', key, ARGV[6])
end
return 1
