// An upstream that answers with every reading of the path that Node offers.

import http from "node:http";
import path from "node:path";
import querystring from "node:querystring";

const attempt = (read) => {
  try {
    return read();
  } catch {
    return ""; // whoever reads it so reads nothing
  }
};

const server = http.createServer((request, response) => {
  const raw = request.url;
  const bare = raw.split("?", 1)[0];
  const whatwg = attempt(() => new URL(raw, "http://shop.example").pathname);
  const readings = {
    "request.url": raw,
    "decodeURIComponent": attempt(() => decodeURIComponent(bare)),
    "unescape": querystring.unescape(bare),
    "new URL": whatwg,
    "new URL, decoded": attempt(() => decodeURIComponent(whatwg)),
    "posix.normalize": path.posix.normalize(attempt(() => decodeURIComponent(bare))),
    "win32.normalize": path.win32.normalize(attempt(() => decodeURIComponent(bare))).replaceAll("\\", "/"),
    "Express": attempt(() => decodeURIComponent(bare)).toLowerCase(),
  };
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(readings));
});

server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
