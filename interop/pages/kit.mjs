// What the judges share: a browser, what was found, and a server to visit.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import axe from "axe-core";
import { HtmlValidate } from "html-validate";

const findings = [];
const counted = { pages: 0, axe: 0, html: 0, requests: 0, steps: 0 };
const find = (where, what) => findings.push(`${where}: ${what}`);

const limit = 10 * 60 * 1000; // milliseconds, after which a step hangs

// What Chromium leaves behind is in a folder that is removed at the end.
const temporary = mkdtempSync(join(tmpdir(), "c-")); // short: the path of a socket has 107 bytes
process.on("exit", () => rmSync(temporary, { recursive: true, force: true, maxRetries: 100, retryDelay: 100 }));

const browser = await puppeteer.launch({
  env: { ...process.env, TMPDIR: temporary },
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, timeout: limit, protocolTimeout: limit,
  args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb", "--disable-background-networking"],
});

// watch reports requests to other hosts, violations of the Content-Security-Policy and errors of scripts.
async function watch(page, base, name) {
  page.on("request", (request) => {
    counted.requests++;
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) find(name(), `requests ${request.url()}`);
  });
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted Type/i.test(message.text())) find(name(), message.text());
  });
  const audits = await page.createCDPSession(); // what a collector of reports would receive
  audits.on("Audits.issueAdded", ({ issue }) => {
    if (issue.code === "ContentSecurityPolicyIssue") find(name(), `violates the policy: ${JSON.stringify(issue.details.contentSecurityPolicyIssueDetails)}`);
  });
  await audits.send("Audits.enable");
  page.on("pageerror", (error) => find(name(), `script: ${error.message}`));
}

const modes = [
  { name: "light", language: "en", width: 1000, scheme: "light" },
  { name: "dark", language: "en", width: 1000, scheme: "dark" },
  { name: "narrow", language: "de", width: 320, scheme: "light" },
  { name: "rtl", language: "ar", width: 360, scheme: "light" },
  { name: "pseudo", language: "en-XA", width: 320, scheme: "dark" },
  { name: "forced", language: "en", width: 1000, scheme: "dark", forced: true },
  { name: "large", language: "de", width: 640, scheme: "light", text: 32 }, // 200 % text
];

// show opens a page in a mode.
async function show(page, mode, address) {
  const session = page.session ??= await page.createCDPSession();
  await session.send("Emulation.setEmulatedMedia", { features: [
    { name: "prefers-color-scheme", value: mode.scheme }, { name: "forced-colors", value: mode.forced ? "active" : "none" },
  ] });
  await session.send("Page.setFontSizes", { fontSizes: { standard: mode.text ?? 16 } });
  await page.setViewport({ width: mode.width, height: mode.width > 400 ? 720 : 640 });
  await page.goto(address);
  const got = await page.evaluate(() => [matchMedia("(forced-colors: active)").matches, getComputedStyle(document.documentElement).fontSize]);
  if (got[0] !== Boolean(mode.forced) || got[1] !== `${mode.text ?? 16}px`) find(address, `the mode ${mode.name} does not work: ${got}`);
}

// judgeHTML judges the text of a page without a browser.
const validate = new HtmlValidate({ extends: ["html-validate:recommended"], rules: {
  "long-title": "off", // a site may have a long name
  "no-trailing-whitespace": "off", "void-style": "off", "attribute-boolean-style": "off",
  "prefer-native-element": "off", // role=alert has no element
  "form-dup-name": "off", // the boxes of a list have one name, also the hidden field that says that none is ticked
} });

async function judgeHTML(name, html, bytes) {
  counted.html++;
  for (const r of (await validate.validateString(html, name)).results) {
    for (const m of r.messages) find(`${name}:${m.line}`, `html-validate ${m.ruleId}: ${m.message}`);
  }
  if (html.length > bytes) find(name, `${html.length} bytes of HTML`);
  if (/<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=/.test(html)) find(name, "inline script or style");
}

// judgeLayout judges what a mode makes of the page that is shown.
async function judgeLayout(page, at, mode) {
  counted.pages++;
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) find(at, `scrolls sideways by ${wide} pixels`);
  const small = await page.evaluate(() => [...document.querySelectorAll("button, select, input:not([type=hidden]):not([hidden]), nav a, summary")]
    .filter((e) => e.offsetParent && (e.closest("label") ?? e).getBoundingClientRect().height < 43.5).map((e) => e.outerHTML.slice(0, 60)));
  for (const e of small) find(at, `a target lower than 44 pixels: ${e}`);
  if (mode.forced) {
    const bare = await page.evaluate(() => [...document.querySelectorAll("main button.primary, main .button")]
      .map((e) => [e, getComputedStyle(e)]).filter(([e, s]) => e.offsetParent && (s.borderTopStyle === "none" || s.borderTopColor === s.backgroundColor))
      .map(([e]) => e.outerHTML.slice(0, 60)));
    for (const e of bare) find(at, `a button without an outline: ${e}`);
  }
}

// judgeAxe runs axe on the page that is shown.
async function judgeAxe(page, at, mode) {
  await page.evaluate(axe.source);
  const result = await page.evaluate((contrast) => axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], rules: { "color-contrast": { enabled: contrast } },
  }), !mode.forced); // whose colors are the user's
  counted.axe += result.passes.length;
  for (const v of result.violations) find(at, `axe ${v.id}: ${v.help} ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3)}`);
}

// opened opens a tab.
async function opened(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(limit);
  return page;
}

// control shows that watch sees a violation of the policy and a request to another host, in a page of its own.
async function control(base, path) {
  const page = await opened(browser);
  const before = findings.length;
  await watch(page, base, () => "control");
  await page.goto(base + path);
  await page.evaluate(() => {
    document.body.setAttribute("style", "color: red");
    new Image().src = "http://127.0.0.1:9/elsewhere";
  });
  const seen = () => { const l = findings.slice(before); return l.some((f) => f.includes("violates the policy")) && l.some((f) => f.includes("requests http://127.0.0.1:9/")); };
  await until(seen); // that the judge sees both
  await page.close();
  findings.splice(before);
}

const servers = []; // those that serve has started

// patient are settings for a slow machine: what a judge has got does not expire before it is used.
const patient = ["--access-token-lifetime=24h", "--step-up-lifetime=24h", "--totp-grace=30s"];

// serve starts the server and returns the address that it prints for browsers and what else it prints.
async function serve(binary, folder, ...args) {
  const emails = args.includes("--mail-server") ? [] : ["--print-emails"];
  const child = spawn(binary, ["serve", "--addr", "127.0.0.1:0", ...patient, ...emails, ...args], { cwd: folder });
  servers.push(child);
  const server = { output: "" };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => { server.output += data; });
  server.base = await until(() => server.output.match(/Open (http:\/\/localhost:\d+)\//)?.[1]);
  server.link = (after) => until(() => {
    const links = [...server.output.slice(after).matchAll(/http:\/\/\S+token=\S+/g)];
    return links.length ? links.at(-1)[0] : undefined;
  });
  return server;
}

async function until(get) {
  for (const end = Date.now() + limit; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
    const value = await get();
    if (value) return value;
  }
  throw new Error(`not in ten minutes: ${get}`);
}

// long is a password.
const long = "a lamp under seven clouds";

// visitor is a browser window with its own cookies.
async function visitor(server, scripts) {
  const context = await browser.createBrowserContext();
  const page = await opened(context);
  await page.setJavaScriptEnabled(scripts);
  await page.setExtraHTTPHeaders({ "Accept-Language": "en" });
  await watch(page, server.base, () => `${scripts ? "" : "without scripts: "}${page.url().replace(server.base, "")}`);
  const v = { context, page };
  v.go = (path) => page.goto(path.startsWith("http") ? path : server.base + path);
  v.fill = async (fields) => {
    for (const [name, value] of Object.entries(fields)) {
      const input = await page.$(`main input[name=${name}]:not([hidden])`);
      if (!input) throw new Error(`${page.url()} has no field ${name}`);
      await input.evaluate((e) => { e.value = ""; });
      await input.type(value);
    }
  };
  v.press = async (selector = "main form button.primary") => {
    await Promise.all([page.waitForNavigation(), page.click(selector)]);
  };
  v.is = async (path, title) => {
    counted.steps++;
    const got = page.url().replace(server.base, "").replace(/([?&]token=)[^&]*/, "$1…");
    const heading = await page.$eval("h1", (e) => e.textContent).catch(() => "no heading");
    if (!got.startsWith(path) || heading !== title) find(`step ${counted.steps}`, `is at ${got} (${heading}), not ${path} (${title})`);
  };
  return v;
}

// deviceOf gives the visitor's browser a virtual authenticator. touches(false): nobody touches it until touches(true). asked
// waits until the page has asked for a passkey, as autofill does.
async function deviceOf(v, kind) {
  const device = await v.page.createCDPSession();
  await device.send("WebAuthn.enable");
  const { authenticatorId } = await device.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", ctap2Version: "ctap2_1", ...kind } });
  const touches = (enabled) => device.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
  await v.page.evaluateOnNewDocument(() => {
    navigator.credentials.get = function (options) {
      window.asked = true;
      return CredentialsContainer.prototype.get.call(this, options);
    };
  });
  const asked = () => v.page.waitForFunction(() => window.asked);
  const use = async () => {
    const button = await v.page.waitForSelector("[data-passkey-use]:not([hidden])");
    await Promise.all([v.page.waitForNavigation(), button.click()]);
  };
  return { device, authenticatorId, touches, asked, use };
}

export { browser, control, counted, deviceOf, find, findings, judgeAxe, judgeHTML, judgeLayout, long, modes, opened, serve, servers, show, until, visitor, watch };
