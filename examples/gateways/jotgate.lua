-- Asks jotgate about each request: 200 lets it through with the identity headers,
-- 401 and 403 are the response, anything else is 503. Nobody passes while jotgate
-- does not respond.

local address = "http://127.0.0.1:8000"
local identity = { "x-auth-id", "x-auth-user", "x-auth-role", "x-auth-email", "x-auth-groups", "x-auth-session", "x-auth-actor" }

-- What lets pages of --cors-origins read a response, and the variables in which
-- haproxy.cfg finds it for the API's.
local cors = {
    ["access-control-allow-origin"] = "txn.cors_origin",
    ["access-control-expose-headers"] = "txn.cors_expose",
    ["access-control-allow-credentials"] = "txn.cors_credentials",
}

-- first returns the first value of a header, or "".
local function first(headers, name)
    local values = headers and headers[name]
    return values and values[0] or ""
end

local function refuse(txn, status, response)
    local reply = txn:reply({ status = status })
    if response then
        for _, name in ipairs({ "content-type", "www-authenticate", "cache-control", "retry-after" }) do
            local value = first(response.headers, name)
            if value ~= "" then
                reply:add_header(name, value)
            end
        end
        reply:add_header("vary", "Origin")
        for name in pairs(cors) do
            local value = first(response.headers, name)
            if value ~= "" then
                reply:add_header(name, value)
            end
        end
        reply:set_body(response.body or "")
    end
    txn:done(reply)
end

core.register_action("jotgate", { "http-req" }, function(txn, question)
    -- The credentials, and every copy of their headers: jotgate rejects a request that
    -- has two.
    local headers = { ["x-forwarded-for"] = { txn.sf:src() } }
    for _, name in ipairs({ "authorization", "x-api-key" }) do
        local all = txn.http:req_get_headers()[name]
        for i = 0, all and #all or -1 do
            if all[i]:find("[\0-\8\10-\31\127]") then
                return refuse(txn, 400)
            end
            headers[name] = headers[name] or {}
            table.insert(headers[name], all[i])
        end
    end
    local origin = first(txn.http:req_get_headers(), "origin")
    if origin ~= "" and not origin:find("[\0-\31\127]") then
        headers["origin"] = { origin }
    end
    local response = core.httpclient():get({ url = address .. question, headers = headers, timeout = 5000 })
    if response.status == 401 or response.status == 403 then
        return refuse(txn, response.status, response)
    elseif response.status ~= 200 then
        return refuse(txn, 503)
    end
    for name, variable in pairs(cors) do
        local value = first(response.headers, name)
        if value ~= "" then
            txn:set_var(variable, value)
        end
    end
    for _, name in ipairs(identity) do
        local value = first(response.headers, name)
        txn.http:req_del_header(name)
        if value ~= "" then
            txn.http:req_add_header(name, value)
        end
    end
end, 1)
