// Walks through spa.mjs in Chromium, on an origin of its own, as a user and as its developer, and prints what each step
// got, one line of JSON: walk.mjs API ORIGIN MAIL SECRET. MAIL is where the e-mails are.
import { createServer } from "node:http";
import * as chromium from "./chromium.mjs";
import * as credentials from "./credentials.mjs";

const [api, origin, mail, secret] = process.argv.slice(2);
const html = await chromium.scriptPage("spa.mjs");
const site = createServer((request, response) => {
  response.setHeader("Content-Type", "text/html");
  response.end(request.url === "/" ? html : "");
}).listen(Number(new URL(origin).port), "127.0.0.1");

const browser = await chromium.launch();
const seen = {}; // what each step got
const pages = {};
const complaints = []; // of the browser, on the console
async function tab(context = browser, at = origin) {
  const page = await chromium.open(context);
  page.on("console", (m) => complaints.push(m.text()));
  page.on("pageerror", (e) => complaints.push(String(e)));
  await open(page, "/", at);
  return page;
}
async function open(page, path, at = origin) {
  await page.goto(at + path);
  await page.evaluate((base) => window.start(base), api);
}
const call = (page, name, ...args) => page.evaluate((name, args) => window.app[name](...args), name, args);

// letter waits for the next e-mail with a link to a path, and returns the link.
const read = new Set();
async function letter(path) {
  for (;;) {
    const text = await (await fetch(mail)).text();
    const link = [...text.matchAll(/http:\/\/localhost:\d+\/(#\/\S+)/g)].map((m) => m[1]).find((l) => l.includes(path) && !read.has(l));
    if (link) return read.add(link), link;
    await new Promise((done) => setTimeout(done, 50));
  }
}
async function follow(page, path, endpoint, more) {
  const link = await letter(path);
  await page.goto("about:blank");
  await open(page, "/" + link);
  return call(page, "link", endpoint, more);
}

// said is a response in a word: the error's code or text, or what a success has.
function said(v) {
  if (Array.isArray(v)) return v.map(said);
  if (typeof v !== "object") return v;
  const field = Object.entries(v).find(([, value]) => Array.isArray(value) && typeof value[0] === "string");
  if (v.ok === false || v.status >= 400) return `${v.status} ${v.code ?? v.detail ?? field.join(": ")}`;
  return v.user?.username ?? v.email ?? v.status ?? v.ok;
}

// expired makes the page send an access token that has expired until it has got another one. window.expired counts them.
const expired = (page) => page.evaluate((token) => {
  const real = window.fetch;
  window.expired = 0;
  window.fetch = async (url, options) => {
    if (options.headers.Authorization) {
      options.headers.Authorization = `Bearer ${token}`;
      window.expired++;
    }
    const response = await real(url, options);
    if (url.includes("/api/token/") && response.ok) window.fetch = real;
    return response;
  };
}, credentials.expired(secret));

try {
  const steps = {
    async first() {
      const tabOne = (pages.one = await tab());
      const one = (...args) => call(tabOne, ...args);
      seen.boot = await one("refresh");
      seen.weak = await one("post", "/auth/users/", { username: "alice", email: "alice@example.com", password: "password" });
      seen.noAddress = await one("post", "/auth/users/", { username: "alice", password: "correct horse battery" });
      seen.signUp = await one("post", "/auth/users/", { username: "alice", email: "alice@example.com", password: "correct horse battery" });
      seen.early = await one("login", "alice", "correct horse battery");
      seen.activate = await follow(tabOne, "/activate/", "/auth/users/activation/");
      seen.wrong = await one("login", "alice", "wrong");
      seen.login = await one("login", "alice", "correct horse battery");
      seen.me = await one("me");
      seen.cookie = await tabOne.evaluate(() => document.cookie);
    },
    async sessions() {
      const { one: tabOne } = pages;
      await expired(tabOne);
      seen.concurrent = await tabOne.evaluate(() => Promise.all([1, 2, 3, 4].map(() => window.app.me())));
      seen.expired = await tabOne.evaluate(() => window.expired);
      const tabTwo = await tab();
      seen.secondTab = await call(tabTwo, "refresh");
      seen.bothTabs = await Promise.all([tabOne, tabTwo].map((page) => call(page, "refresh")));
      await open(tabOne, "/");
      seen.reload = await call(tabOne, "refresh");
      seen.logout = await call(tabOne, "logout");
      seen.afterLogout = await call(tabOne, "me");
      seen.otherTab = await call(tabTwo, "me");
      await tabTwo.close();
      await call(tabOne, "login", "alice", "correct horse battery");
      await expired(tabOne);
      seen.lateLogout = await call(tabOne, "logout");
      seen.afterLateLogout = await call(tabOne, "refresh");
    },
    async changes() {
      const one = (...args) => call(pages.one, ...args);
      seen.reset = await one("post", "/auth/users/reset_password/", { email: "alice@example.com" });
      seen.resetConfirm = await follow(pages.one, "/password/reset/", "/auth/users/reset_password_confirm/", { new_password: "another horse battery" });
      seen.oldPassword = await one("login", "alice", "correct horse battery");
      seen.newPassword = await one("login", "alice", "another horse battery");
      seen.setPassword = await one("post", "/auth/users/set_password/", { current_password: "another horse battery", new_password: "third horse battery" });
      seen.afterSet = await one("me");
      seen.email = await one("send", "PATCH", "/auth/users/me/", { email: "alice@new.example.com" });
      seen.emailConfirm = await follow(pages.one, "/email/change/confirm/", "/auth/users/email_change_confirm/");
      seen.afterLink = await one("refresh");
      seen.newEmail = await one("me");
    },
    async factors() {
      const one = (...args) => call(pages.one, ...args);
      const begun = await one("post", "/auth/factors/totp/", {});
      seen.totpWrong = await one("post", "/auth/factors/totp/confirm/", { token: begun.token, code: "000000" });
      const [confirmed, late] = await credentials.setUp(begun.secret, (code) => one("post", "/auth/factors/totp/confirm/", { token: begun.token, code }));
      seen.lateCodes = late;
      seen.totp = confirmed.recovery_codes.length;
      seen.tooLow = await one("addPasskey");
      seen.again = await one("again", { code: confirmed.recovery_codes[1] });
      await pages.one.bringToFront();
      const client = await pages.one.createCDPSession();
      await client.send("WebAuthn.enable");
      await client.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
      seen.addPasskey = await one("addPasskey");
      await one("logout");
      const pending = await one("login", "alice", "third horse battery");
      seen.mfa = pending;
      seen.mfaWrong = await one("code", pending.pending, "000000");
      seen.mfaRight = await one("code", pending.pending, confirmed.recovery_codes[0]);
      await one("logout");
      seen.passkey = await one("withPasskey");
      seen.everywhere = await one("send", "DELETE", "/auth/sessions/");
      seen.afterEverywhere = await one("me");
    },
    async stranger() {
      seen.complaints = complaints.filter((text) => !text.startsWith("Failed to load resource"));
      const stranger = await tab(browser, origin.replace("localhost", "127.0.0.1"));
      seen.unlisted = await call(stranger, "login", "alice", "third horse battery").catch((e) => String(e).split("\n")[0]);
      seen.blocked = complaints.some((text) => text.includes("blocked by CORS policy"));
    },
  };
  for (const step of Object.values(steps)) await step();
  console.log(JSON.stringify(Object.fromEntries(Object.entries(seen).map(([name, v]) => [name, said(v)]))));
} finally {
  await browser.close();
  site.close();
}
