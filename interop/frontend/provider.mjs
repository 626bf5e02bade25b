// Signs in to spa.mjs with a provider in Chromium, on an origin of its own, and prints what each step got, one line of JSON:
// provider.mjs API ORIGIN.
import { createServer } from "node:http";
import * as chromium from "./chromium.mjs";
import { setUp } from "./credentials.mjs";

const [api, origin] = process.argv.slice(2);
const html = await chromium.scriptPage("spa.mjs");
const site = createServer((request, response) => {
  response.setHeader("Content-Type", "text/html");
  response.end(html);
}).listen(Number(new URL(origin).port), "127.0.0.1");

const browser = await chromium.launch();
const seen = {};
const said = (v) => `${v.status ?? 200} ${v.user?.username ?? v.username ?? v.code ?? v.detail ?? v.redirect_uri?.[0] ?? ""}`.trim();
try {
  let page;
  const call = (name, ...args) => page.evaluate((name, args) => window.app[name](...args), name, args);
  const start = () => page.evaluate((base) => window.start(base), api);
  const signedIn = origin + "/signed-in";
  // leave goes to the provider, as a button of the page does, and waits until the browser is at an address. It begins again if the
  // provider has not responded within the five seconds that jotgate waits.
  async function leave(to) {
    do {
      await page.goto(origin + "/");
      await start();
      const begun = await call("signInAt", "certified", signedIn);
      await page.goto(begun.url);
    } while (!await arrive(to));
  }
  // arrive waits for a page: those on the way lead on by themselves. It returns false if the provider cannot be reached.
  async function arrive(at) {
    for (;; await new Promise((done) => setTimeout(done, 20))) {
      const text = await page.evaluate(() => document.readyState === "complete" ? document.body.textContent : null).catch(() => null);
      if (text?.includes("cannot be reached") || page.url().includes("error=temporarily_unavailable")) return false;
      if (page.url().startsWith(at) && text !== null) break;
    }
    if (at === signedIn) await start();
    return true;
  }
  async function fresh() {
    page = await chromium.open(await browser.createBrowserContext());
  }

  await fresh();
  await leave(api + "/account/provider/signup"); // a new user chooses a username on the page of jotgate
  seen.suggested = await page.$eval("[name=username]", (input) => input.value);
  await page.click("main form button[type=submit]");
  await arrive(signedIn);
  seen.otherVerifier = said(await call("signedIn", { code_verifier: "x".repeat(43) }));
  seen.rightVerifier = said(await call("signedIn")); // the code is as good as before
  await leave(signedIn);
  seen.otherRedirect = said(await call("signedIn", { redirect_uri: origin + "/elsewhere" }));
  await leave(signedIn);
  seen.signedIn = said(await call("signedIn"));
  seen.me = said(await call("me"));
  seen.twice = said(await call("signedIn"));
  await page.reload();
  await start();
  seen.reload = said(await call("refresh"));
  seen.cookie = await page.evaluate(() => document.cookie);

  await leave(signedIn);
  await call("signedIn");
  const begun = await call("post", "/auth/factors/totp/", {});
  const [confirmed] = await setUp(begun.secret, (code) => call("post", "/auth/factors/totp/confirm/", { token: begun.token, code }));
  seen.factor = confirmed.recovery_codes?.length ?? said(confirmed);

  await fresh();
  await leave(signedIn);
  const pending = await call("signedIn");
  seen.pending = said(pending);
  seen.before = said(await call("me"));
  seen.code = said(await call("code", pending.pending, confirmed.recovery_codes[0]));
  seen.after = said(await call("me"));

  await page.goto(origin + "/");
  await start();
  seen.unlisted = said(await call("signInAt", "certified", "https://evil.example/signed-in"));
  seen.unknown = said(await call("signInAt", "nobody", signedIn));
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
  site.close();
}
