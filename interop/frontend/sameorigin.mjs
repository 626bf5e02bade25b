// Walks through an application on the origin of its API, behind jotgate serve --upstream --login-pages, in Chromium, and
// prints what each step got, one line of JSON: sameorigin.mjs SITE UPSTREAM. The application listens on UPSTREAM.
import { createServer } from "node:http";
import * as chromium from "./chromium.mjs";

const [site, upstream] = process.argv.slice(2);
const html = await chromium.scriptPage("spa.mjs");
const app = createServer((request, response) => {
  if (request.url === "/notes") {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ user: request.headers["x-auth-user"], cookie: request.headers.cookie ?? "" }));
    return;
  }
  response.setHeader("Content-Type", "text/html");
  response.end(html);
}).listen(Number(new URL(upstream).port), "127.0.0.1");
app.keepAliveTimeout = 0; // none: jotgate may use a connection again after a long time

const browser = await chromium.launch();
const seen = {};
try {
  const page = await chromium.open(browser);
  const at = () => page.url().replace(site, "");
  const submit = (selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);
  // get returns the status and the JSON of a request of the page.
  const get = (path, options) => page.evaluate(async (path, options) => {
    const response = await fetch(path, options);
    return { status: response.status, ...(await response.json().catch(() => ({}))) };
  }, path, options);
  const call = (name, ...args) => page.evaluate((name, args) => window.app[name](...args), name, args);
  const start = () => page.evaluate(() => window.start(""));

  seen.program = (await fetch(site + "/notes")).status;
  const account = JSON.stringify({ username: "alice", email: "alice@example.com", password: "correct horse battery" });
  seen.signUp = (await fetch(site + "/auth/users/", { method: "POST", headers: { "Content-Type": "application/json" }, body: account })).status;
  await page.goto(site + "/deep?x=1#end");
  seen.sentTo = at();
  await page.type("[name=username]", "alice");
  await page.type("[name=password]", "correct horse battery");
  await submit("main form button[type=submit]");
  seen.back = at();
  seen.byCookie = await get("/notes");
  const { access } = await get("/account/token", { method: "POST" });
  seen.token = typeof access;
  const bearer = { headers: { Authorization: "Bearer " + access } };
  seen.byToken = await get("/notes", bearer);
  seen.me = (await get("/auth/users/me/", bearer)).username;
  seen.scripts = await page.evaluate(() => document.cookie);

  await start(); // the tokens of examples/browser beside the cookie of the pages
  seen.boot = await call("refresh").then((r) => r.status);
  seen.login = await call("login", "alice", "correct horse battery").then((r) => [r.status, r.refresh ?? "in the cookie"]);
  await page.reload();
  await start();
  seen.reload = await call("refresh").then((r) => r.status);
  seen.same = await call("me").then((r) => r.username);
  seen.logout = await call("logout").then((r) => r.ok);
  seen.afterLogout = await call("refresh").then((r) => r.status);
  seen.pagesAfterLogout = (await get("/notes")).user;

  const stranger = await chromium.open(browser); // of another site, with the same browser
  await stranger.goto(upstream + "/");
  seen.stranger = await stranger.evaluate((site) => fetch(site + "/account/token", { method: "POST", credentials: "include" }).then((r) => r.status, () => "blocked"), site);
  await stranger.close();

  await page.goto(site + "/account/logout");
  await submit("main form button[type=submit]");
  await page.goto(site + "/");
  seen.out = at();
  seen.tokenOut = (await get("/account/token", { method: "POST" })).status;
  seen.fetchOut = (await get("/notes")).status;
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
  app.close();
}
