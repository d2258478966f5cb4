-- SPDX-License-Identifier: MIT
-- A block blob service that remembers how long each block is, not what is in it: fast enough not to be what a benchmark
-- measures, and honest in what matters. It answers a block after its last byte was read, commits only a list whose blocks
-- it has, keeps an existing blob from If-None-Match: *, lists the blocks that no commit took, and tells the committed length and
-- metadata on HEAD.
-- Knobs and counters stand under /_sink/: set?delay=MS&busy_every=N&md5=1, reset, stats.
local blocks, blobs, state = ngx.shared.blocks, ngx.shared.blobs, ngx.shared.state
local KEPT = { "x-ms-blob-content-type", "x-ms-blob-content-disposition", "x-ms-blob-content-md5" }

local function answer(status, code)
  ngx.header["x-ms-request-id"] = ngx.var.request_id
  ngx.header["x-ms-version"] = ngx.var.http_x_ms_version
  ngx.status = status
  if not code then
    if ngx.req.get_method() ~= "HEAD" then ngx.header["Content-Length"] = 0 end
    return ngx.exit(status)
  end
  ngx.header["x-ms-error-code"] = code
  ngx.header["Content-Type"] = "application/xml"
  local page = '<?xml version="1.0" encoding="utf-8"?><Error><Code>' .. code .. "</Code><Message>the sink says no</Message></Error>"
  ngx.header["Content-Length"] = #page
  if ngx.req.get_method() ~= "HEAD" then ngx.print(page) end
  return ngx.exit(status)
end

local function count(name, by) return state:incr(name, by or 1, 0) end

-- How long the body is that was read, or nothing when the request did not say.
local function length()
  if ngx.var.http_transfer_encoding then return nil end
  return tonumber(ngx.var.http_content_length)
end

local function body()
  local whole = ngx.req.get_body_data()
  local spilled = not whole and ngx.req.get_body_file()
  if spilled then
    local file = io.open(spilled, "rb")
    whole = file:read("*a")
    file:close()
  end
  return whole or ""
end

local function stamped(status, blob)
  ngx.header["ETag"] = '"0x' .. string.format("%X", blob.serial) .. '"'
  ngx.header["Last-Modified"] = ngx.http_time(blob.seconds)
  return answer(status)
end

-- A blob is kept as one text: length, serial and time, then a line for each header to give back.
local function keep(path, bytes)
  local blob = { serial = count("commits"), seconds = ngx.time() }
  local lines = { bytes .. " " .. blob.serial .. " " .. blob.seconds }
  for name, value in pairs(ngx.req.get_headers(200)) do
    if name:sub(1, 10) == "x-ms-meta-" then lines[#lines + 1] = name .. ": " .. tostring(value) end
  end
  for _, name in ipairs(KEPT) do
    local value = ngx.req.get_headers()[name]
    if value then lines[#lines + 1] = name:gsub("^x%-ms%-blob%-", "") .. ": " .. value end
  end
  local done, trouble = blobs:safe_set(path, table.concat(lines, "\n"))
  if not done then return answer(500, trouble) end
  return stamped(201, blob)
end

local function guarded(path)
  return ngx.var.http_if_none_match == "*" and blobs:get(path)
end

local function put_block(path, arguments)
  local bytes, id = length(), arguments.blockid
  local number, delay, every = count("blocks"), state:get("delay") or 0, state:get("busy_every") or 0
  if delay > 0 then ngx.sleep(delay / 1000) end
  if every > 0 and number % every == 0 then
    count("busy")
    return answer(503, "ServerBusy")
  end
  if not bytes then return answer(411, "MissingContentLengthHeader") end
  if type(id) ~= "string" or not ngx.decode_base64(id) then return answer(400, "InvalidQueryParameterValue") end
  if (state:get("md5") or 0) > 0 and ngx.var.http_content_md5 then
    if ngx.encode_base64(ngx.md5_bin(body())) ~= ngx.var.http_content_md5 then return answer(400, "Md5Mismatch") end
  end
  if blocks:get(path .. " " .. id) then count("again") end
  local done, trouble = blocks:safe_set(path .. " " .. id, bytes)
  if not done then return answer(500, trouble) end
  count("bytes", bytes)
  return answer(201)
end

local function put_list(path)
  local total, used = 0, {}
  if guarded(path) then return answer(409, "BlobAlreadyExists") end
  for id in body():gmatch("<%a+>%s*([%w+/=]+)%s*</%a+>") do
    local key = path .. " " .. id
    local bytes = blocks:get(key)
    if not bytes or used[key] then return answer(400, "InvalidBlockList") end
    used[key] = true
    total = total + bytes
  end
  for key in pairs(used) do blocks:delete(key) end
  return keep(path, total)
end

local function put_blob(path)
  local bytes = length()
  if not bytes then return answer(411, "MissingContentLengthHeader") end
  if guarded(path) then return answer(409, "BlobAlreadyExists") end
  count("bytes", bytes)
  return keep(path, bytes)
end

local function head(path)
  local text = blobs:get(path)
  if not text then return answer(404, "BlobNotFound") end
  local bytes, serial, seconds = text:match("^(%d+) (%d+) (%d+)")
  for name, value in text:gmatch("\n([^:\n]+): ([^\n]*)") do ngx.header[name] = value end
  ngx.header["x-ms-blob-type"] = "BlockBlob"
  ngx.header["Content-Length"] = bytes
  return stamped(200, { serial = tonumber(serial), seconds = tonumber(seconds) })
end

local function list(path)
  local lines, begin = {}, path .. " "
  for _, key in ipairs(blocks:get_keys(0)) do
    if key:sub(1, #begin) == begin then
      lines[#lines + 1] = "<Block><Name>" .. key:sub(#begin + 1) .. "</Name><Size>" .. (blocks:get(key) or 0) .. "</Size></Block>"
    end
  end
  if #lines == 0 and not blobs:get(path) then return answer(404, "BlobNotFound") end
  ngx.header["Content-Type"] = "application/xml"
  ngx.print('<?xml version="1.0" encoding="utf-8"?><BlockList><CommittedBlocks/><UncommittedBlocks>', table.concat(lines),
            "</UncommittedBlocks></BlockList>")
end

local function control(verb, arguments)
  if verb == "set" then
    for name, value in pairs(arguments) do state:set(name, tonumber(value)) end
  elseif verb == "reset" then
    for _, dictionary in ipairs({ blocks, blobs, state }) do dictionary:flush_all() end
  end
  for _, name in ipairs({ "blocks", "again", "bytes", "commits", "busy", "most" }) do ngx.say(name, " ", state:get(name) or 0) end
end

local function serve(method, path, arguments)
  if arguments.restype == "container" then return answer(method == "PUT" and 201 or 200) end
  if method == "PUT" and arguments.comp == "block" then return put_block(path, arguments) end
  if method == "PUT" and arguments.comp == "blocklist" then return put_list(path) end
  if method == "PUT" and not arguments.comp then return put_blob(path) end
  if method == "HEAD" then return head(path) end
  if method == "GET" and arguments.comp == "blocklist" then return list(path) end
  if method == "GET" then return answer(501, "TheBytesWereNotKept") end
  if method == "DELETE" then
    blobs:delete(path)
    return answer(202)
  end
  return answer(400, "InvalidUri")
end

local path, arguments = ngx.var.uri, ngx.req.get_uri_args()
local verb = path:match("^/_sink/(%a+)$")
if verb then return control(verb, arguments) end
local now = count("now") -- from a request's head to its answer: how many are in flight, and the most there were
if now > (state:get("most") or 0) then state:set("most", now) end
ngx.ctx.counted = true -- the log phase takes it off again, whatever the end was
ngx.req.read_body()
return serve(ngx.req.get_method(), path, arguments)
