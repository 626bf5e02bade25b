// An API in Node behind jotgate, which handles logins and tokens.
//
//     node api.mjs 3000
//     jotgate serve --upstream http://127.0.0.1:3000 --protect /api/
//
// It listens on this machine only: a client that reached it directly could set
// X-Auth-User itself.

import http from "node:http";

const routes = {
  "/": () => [200, { message: "welcome" }],
  "/api/hello": (user) => [200, { message: `hello, ${user.name}` }],
  "/api/reports": (user) =>
    ["staff", "admin"].includes(user.role) ? [200, { message: "reports" }] : [403, { detail: "staff only" }],
};

const server = http.createServer((request, response) => {
  const user = { name: request.headers["x-auth-user"], role: request.headers["x-auth-role"] };
  const route = Object.hasOwn(routes, request.url) ? routes[request.url] : () => [404, { detail: "not found" }];
  const [status, body] = route(user);
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
});

server.listen(Number(process.argv[2] ?? 3000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
