-- One kind of request, said by WORK: get (PATH with TOKEN), login (USERS users in turn) or refresh (the tokens of
-- TOKENS, a file; each answer's new token takes the place of the one it was asked with).
-- The last line that is written is: requests, answers of 400 and more, socket errors, microseconds.
local work = os.getenv("WORK")
local pool, first, last, turn = {}, 1, 0, 0

function init()
  if work == "get" then
    wrk.path = os.getenv("URLPATH")
    wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
    return
  end
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  if work == "refresh" then
    for line in io.lines(os.getenv("TOKENS")) do
      last = last + 1
      pool[last] = line
    end
  end
end

function request()
  turn = turn + 1
  if work == "login" then
    local user = turn % tonumber(os.getenv("USERS"))
    wrk.headers["X-Forwarded-For"] = "198.51.100." .. (user + 1)
    return wrk.format(nil, "/api/token/", nil, '{"username":"user' .. user .. '","password":"' .. os.getenv("PASSWORD") .. '"}')
  elseif work == "refresh" then
    local token = pool[first] or "none"
    if pool[first] then
      pool[first] = nil
      first = first + 1
    end
    return wrk.format(nil, "/api/token/refresh/", nil, '{"refresh":"' .. token .. '"}')
  end
  return wrk.format()
end

if work == "refresh" then
  function response(status, _, body)
    local token = status == 200 and body:match('"refresh":"([^"]+)"')
    if token then
      last = last + 1
      pool[last] = token
    end
  end
end

function done(summary)
  local e = summary.errors
  io.write(string.format("%d %d %d %d\n", summary.requests, e.status, e.connect + e.read + e.write + e.timeout, summary.duration))
end
