-- Write one window document, unless a better one is there already.
--
-- KEYS[1]  the document          metrics:{window_type}:{window_id}
-- KEYS[2]  the index             metrics:{window_type}:index
-- ARGV[1]  the document, JSON
-- ARGV[2]  its time to live, seconds
-- ARGV[3]  window_id
-- ARGV[4]  window start, ms since the epoch
--
-- Returns 1 if it was written; 0 if a final document stands against an open one, or a higher revision
-- against a lower. So an instance of the job that replays the past cannot take a final figure back.
-- What is stored but is no document, or no index, gives way.

local new = cjson.decode(ARGV[1])
local stored = redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1])
if stored then
  local decoded, old = pcall(cjson.decode, stored)
  if decoded and type(old) == 'table' and type(old.revision) == 'number' then
    if (old.final and not new.final) or old.revision > new.revision then
      return 0
    end
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
if redis.call('TYPE', KEYS[2]).ok ~= 'zset' then
  redis.call('DEL', KEYS[2])
end
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])

-- Prune: documents expire by themselves, their members of the index do not. A few of the oldest per
-- write keep up with any pace, and cost the same however many there are.
local prefix = string.sub(KEYS[2], 1, -string.len('index') - 1)
for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, 7)) do
  if redis.call('EXISTS', prefix .. member) == 0 then
    redis.call('ZREM', KEYS[2], member)
  end
end
return 1
