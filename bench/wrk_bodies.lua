-- The request bodies of an import, one after the other, for wrk. BODIES names a file with one body a line.
local requests, at = {}, 0

function init()
  local headers = { ["x-api-key"] = os.getenv("APOLLO_API_KEY"), ["Content-Type"] = "application/json" }
  for body in io.lines(os.getenv("BODIES")) do
    requests[#requests + 1] = wrk.format("POST", wrk.path .. "/tasks/bulk_create", headers, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
