// Judges the pages in a real browser:
//
//   node judge.mjs samples BASE [--short]   every page in every state, of `jotgate theme preview`
//   node judge.mjs life BINARY FOLDER [--short]  a server in an empty folder: an account's life without scripts, Back,
//                                           reload, double clicks, two tabs, a program that scans e-mails
//   node judge.mjs passkeys BINARY FOLDER FOLDER   a passkey of a virtual authenticator by the button, by autofill, as the
//                                           second step, to authenticate again, in a tab that was open for long; and
//                                           where a second factor is demanded, at the sign-up
//   node judge.mjs factors BINARY FOLDER   the life of an account with second factors: an app whose QR code is read from the
//                                           screen, a passkey, a lost phone, recovery codes, and their removal
//   node judge.mjs admin BINARY FOLDER [--short]  every page of the administration, and a walk with the keyboard alone
//   node judge.mjs admin-pictures BINARY FOLDER PICTURES [EXPRESSION]   a picture of each page of the administration
//   node judge.mjs pictures BASE FOLDER [NAME]   a picture of each page, or of one
//
// It prints one JSON object; findings is empty if everything is as it should be.
import { once } from "node:events";
import { browser, control, counted, deviceOf, find, findings, judgeAxe, judgeHTML, judgeLayout, long, modes, opened, serve, servers, show, visitor, watch } from "./kit.mjs";
import { admin, adminPictures } from "./admin.mjs";
import { factors } from "./factors.mjs";

async function samples(base, short) {
  const list = await (await fetch(base)).text();
  const names = [...list.matchAll(/href="\/en\/([^"]+)"/g)].map((m) => m[1]);
  if (names.length < 30) find("preview", `only ${names.length} samples`);
  const page = await opened(browser);
  let at = "";
  await watch(page, base, () => at);
  for (const [i, name] of names.entries()) {
    const html = await (await fetch(`${base}en/${name}`)).text();
    await judgeHTML(name, html, 30 << 10);
    for (const [j, mode] of modes.entries()) {
      if (short && name !== "login" && (i + j) % modes.length) continue;
      at = `${name} (${mode.name})`;
      await show(page, mode, `${base}${mode.language}/${name}`);
      await judgeLayout(page, at, mode);
      if (short && name !== "login" && i % 3) continue; // axe takes most of the time
      await judgeAxe(page, at, mode);
    }
  }
  await control(base, "en/login");
  const css = [...(await (await fetch(`${base}en/login`)).text()).matchAll(/(?:href|src)="([^"]*static\/[^"]*)"/g)];
  for (const [, address] of css) {
    const response = await fetch(new URL(address, base));
    const size = (await response.arrayBuffer()).byteLength;
    counted[address.replace(/.*static\/(\w+)-.*/, "$1")] = size;
    if (size > 12 << 10) find(address, `${size} bytes`);
    if (!/immutable/.test(response.headers.get("cache-control"))) find(address, "is not immutable");
  }
  counted.paint = await firstPaint(`${base}en/login`);
}

// firstPaint is the median time in milliseconds until a page without a cache shows something. It is reported and not
// judged, because it depends on the machine: it should be under 200 on an idle one.
async function firstPaint(address) {
  const times = [];
  for (let i = 0; i < 5; i++) {
    const context = await browser.createBrowserContext();
    const page = await opened(context);
    await page.goto(address);
    times.push(await page.evaluate(() => new Promise((found) => new PerformanceObserver((list) => found(Math.round(list.getEntries()[0].startTime)))
      .observe({ type: "paint", buffered: true }))));
    await context.close();
  }
  return times.sort((a, b) => a - b)[2];
}

// life is the whole life of an account, with or without scripts.
async function life(server, scripts, name) {
  const v = await visitor(server, scripts);
  await v.go("/account/");
  await v.is("/account/login?next=", "Sign in");
  await v.press("main a[href^='/account/signup']");
  await v.is("/account/signup", "Create your account");
  await v.fill({ username: name, email: `${name}@example.com`, password: "password" });
  await v.press();
  await v.is("/account/signup", "Create your account");
  if (await v.page.$eval("#username", (e) => e.value) !== name) find("sign-up", "the name was not kept");
  if (scripts && !await v.page.evaluate(() => document.activeElement.id === "errors")) find("sign-up", "the errors are not focused");
  let mark = server.output.length;
  await v.fill({ password: long });
  await v.press();
  await v.is("/account/done", "Check your e-mail");
  const activate = await server.link(mark);
  await scanner(server, activate);
  await v.go(activate);
  await v.is("/account/activate", "Activate your account");
  await v.fill({ password: long });
  await v.press();
  await v.is("/account/", "Profile");
  await v.fill({ first_name: "Alice", last_name: "Liddell" });
  await v.press();
  await v.is("/account/?done=saved", "Profile");
  await v.page.reload();
  await v.is("/account/?done=saved", "Profile");
  await v.page.goBack();
  await v.is("/account/", "Profile");
  await v.press(".bar button");
  await v.is("/account/login?done=signedout", "Sign in");
  await v.page.goBack();
  if (!/login/.test(v.page.url())) { await v.page.reload(); await v.is("/account/login", "Sign in"); }

  mark = server.output.length;
  await v.go("/account/reset");
  await v.fill({ email: `${name}@example.com` });
  await v.press();
  await v.is("/account/done", "Check your e-mail");
  const reset = await server.link(mark);
  await scanner(server, reset);
  await v.go(reset);
  await v.is("/account/reset/confirm", "Choose a new password");
  await v.fill({ new_password: long + "!" });
  await v.press();
  await v.is("/account/login?done=reset", "Sign in");
  if (await v.page.$eval("#username", (e) => e.value) !== name) find("reset", "the name is not filled in");
  await v.fill({ password: long + "!" });
  if (scripts) { // a double click
    await Promise.all([v.page.waitForNavigation(), v.page.click("main form button.primary", { clickCount: 2 })]);
  } else {
    await v.press();
  }
  await v.is("/account/", "Profile");

  await v.go("/account/password");
  await v.fill({ password: long + "!", new_password: long });
  await v.press();
  await v.is("/account/password?done=password", "Password");
  await addresses(v, server, name);
  const tab = await opened(v.context);
  await tab.setJavaScriptEnabled(scripts);
  await tab.goto(server.base + "/account/sessions");
  if (await tab.$$eval(".list > li", (l) => l.length) !== 1) find("sessions", "there is not exactly one session");
  await tab.close();
  for (const [path, title] of [["emails", "E-mail address"], ["security", "Security"], ["activity", "Activity"], ["data", "Your data"]]) {
    await v.go("/account/" + path);
    await v.is("/account/" + path, title);
  }
  mark = server.output.length;
  await v.fill({ password: long });
  await v.press("main form button.danger");
  await v.is("/account/login?done=closed", "Sign in");
  const restore = await server.link(mark);
  await scanner(server, restore);
  await v.go(restore);
  await v.is("/account/delete/undo", "Restore your account");
  await v.fill({ username: name });
  await v.press();
  await v.is("/account/login?done=restored", "Sign in");
  await v.fill({ password: long });
  await v.press();
  await v.is("/account/", "Profile");
  await v.context.close();
}

// addresses changes the e-mail address, and finds the link that undoes it unused by what scans e-mails.
async function addresses(v, server, name) {
  const shown = async () => { await v.go("/account/emails"); return v.page.$eval("main", (e) => e.textContent); };
  let mark = server.output.length;
  await v.go("/account/emails");
  await v.fill({ email: `${name}@example.org`, password: long });
  await v.press();
  await v.is("/account/emails?done=email", "E-mail address");
  const confirm = await server.link(mark);
  await scanner(server, confirm);
  if (!(await shown()).includes(`${name}@example.com`)) find("scanner", "has confirmed an address");
  mark = server.output.length;
  await v.go(confirm);
  await v.is("/account/email/confirm", "Confirm your e-\u2060mail address");
  await v.press();
  await v.is("/account/emails?done=saved", "E-mail address");
  await scanner(server, await server.link(mark)); // to the former address
  if (!(await shown()).includes(`${name}@example.org`)) find("scanner", "has restored an address");
}

// scanner opens a link as programs that scan e-mails do: by HEAD, by GET, and in a browser that presses every button.
async function scanner(server, link) {
  await fetch(link, { method: "HEAD" });
  await fetch(link);
  for (let i = 0, buttons = 1; i < buttons; i++) {
    const v = await visitor(server, true); // for each button: what one begins may end when the next one is pressed
    await v.go(link);
    const all = await v.page.$$("main button, main a");
    buttons = all.length;
    await all[i]?.click().catch(() => {});
    await v.page.waitForNetworkIdle({ idleTime: 100, timeout: 5000 }).catch(() => {});
    const cookies = await v.context.cookies();
    if (cookies.some((c) => c.name === "__Host-jotgate")) find("scanner", `is signed in by ${link}`);
    await v.context.close();
  }
}

// enrolment is the sign-up at a server that demands a second factor: a security key without a PIN is one.
async function enrolment(binary, folder) {
  const server = await serve(binary, folder, "--send-activation-email=false", "--require-mfa=all");
  const v = await visitor(server, true);
  const { use } = await deviceOf(v, { transport: "usb", hasResidentKey: false, hasUserVerification: false });
  await v.go("/account/signup");
  await v.fill({ username: "dora", email: "dora@example.com", password: long });
  await v.press();
  await v.is("/account/login/enrol", "Set up a second step");
  await Promise.all([v.page.waitForNavigation(), v.page.click("main a[href*='enrol-passkey']")]);
  await v.is("/account/login/enrol-passkey", "Set up a second step");
  await use();
  await v.is("/account/login/enrol-passkey", "Save your recovery codes");
  await v.go("/account/security");
  if (await v.page.$$eval(".rows > li", (l) => l.length) < 1) find("enrolment", "the passkey is not listed");
  await v.press(".bar button");
  await v.fill({ username: "dora", password: long });
  await v.press();
  await v.is("/account/login/passkey", "Use your passkey");
  await use();
  await v.is("/account/", "Profile");
  await v.context.close();
}

// passkeys is the life of a passkey, from "Add a passkey" to its removal, on a virtual authenticator.
async function passkeys(binary, folder) {
  const server = await serve(binary, folder, "--send-activation-email=false");
  const v = await visitor(server, true);
  const { device, authenticatorId, touches, asked, use } = await deviceOf(v, { transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true });
  const signOut = async () => { await v.press(".bar button"); await v.is("/account/login", "Sign in"); };

  await v.go("/account/signup");
  await v.fill({ username: "carol", email: "carol@example.com", password: long });
  await v.press();
  await v.is("/account/", "Profile");
  await documentation(v, server);
  await v.go("/account/security/passkey");
  await v.is("/account/security/passkey", "Add a passkey");
  await use();
  await v.is("/account/security?done=passkey", "Security");
  if (await v.page.$$eval(".rows > li", (l) => l.length) !== 1) find("passkeys", "the new one is not listed");
  await v.go("/account/security/passkey"); // this device has one
  await (await v.page.waitForSelector("[data-passkey-use]:not([hidden])")).click();
  await v.page.waitForSelector("[data-passkey-exists]:not([hidden])");

  await touches(false); // autofill waits
  await signOut();
  await asked();
  await touches(true); // the button takes over from autofill
  await use();
  await v.is("/account/", "Profile");

  await v.press(".bar button"); // autofill signs in as soon as the user picks the passkey
  await v.page.waitForFunction(() => location.pathname === "/account/" && document.querySelector("h1"));
  await v.is("/account/", "Profile");

  await touches(false); // a tab that was open for four minutes: the script fetches another challenge
  await signOut();
  await asked();
  const before = await v.page.$eval("[name=pending]", (e) => e.value);
  await v.page.evaluate(() => { const now = Date.now.bind(Date); Date.now = () => now() + 240000; });
  await touches(true);
  const renewed = v.page.waitForRequest((r) => r.url().endsWith("/passkey/options"));
  await use();
  if (!await renewed || !before) find("passkeys", "no new challenge was fetched");
  await v.is("/account/", "Profile");

  await v.go("/account/again?next=%2Faccount%2Fsecurity");
  await v.is("/account/again", "Confirm that it is you");
  await use();
  await v.is("/account/security", "Security");

  await v.press(".rows form button.danger"); // and one for the second step in place of it
  await v.is("/account/security?done=saved", "Security");
  await v.go("/account/security/passkey");
  await device.send("WebAuthn.clearCredentials", { authenticatorId });
  await v.page.click("[name=second]");
  await use();
  await v.is("/account/security/passkey", "Save your recovery codes");
  await v.go("/account/");
  await touches(false);
  await signOut();
  await v.fill({ username: "carol", password: long });
  await v.press();
  await v.is("/account/login/passkey", "Use your passkey");
  await touches(true);
  await use();
  await v.is("/account/", "Profile");

  await device.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false }); // a wrong finger
  await v.go("/account/again?next=%2Faccount%2Fsecurity");
  await (await v.page.waitForSelector("[data-passkey-use]:not([hidden])")).click();
  await v.page.waitForSelector("[data-passkey-failed]:not([hidden])");
  await v.is("/account/again", "Confirm that it is you");
  await v.context.close();
}

// documentation tries a request that needs a token at /api/docs/, as a user who is signed in at the pages.
async function documentation(v, server) {
  await v.go("/api/docs/");
  const operation = await v.page.waitForSelector('.opblock-get [data-path="/auth/users/me/"]');
  await operation.click();
  await (await v.page.waitForSelector(".opblock.is-open .try-out__btn")).click();
  await (await v.page.waitForSelector(".opblock.is-open .execute")).click();
  const response = await v.page.waitForSelector(".opblock.is-open .live-responses-table tbody .response-col_status");
  const status = await response.evaluate((e) => e.textContent);
  if (!/^200/.test(status)) find("/api/docs/", `GET /auth/users/me/ is answered with ${status}`);
  await v.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  const dark = await v.page.evaluate(() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.getElementById("docs")).filter]);
  if (dark[0] !== "rgb(16, 19, 25)" || dark[1] === "none") find("/api/docs/", `is not dark: ${dark}`);
  await v.page.emulateMediaFeatures([]);
  counted.steps++;
}

async function pictures(base, folder, only) {
  const page = await opened(browser);
  const list = await (await fetch(base)).text();
  for (const [, name] of list.matchAll(/href="\/en\/([^"]+)"/g)) {
    if (only && name !== only) continue;
    for (const mode of modes) {
      await show(page, mode, `${base}${mode.language}/${name}`);
      // Not fullPage, which shifts pages that are right to left.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewport({ width: mode.width, height });
      await page.screenshot({ path: `${folder}/${name}-${mode.name}.png` });
      counted.pages++;
    }
  }
}

const [what, first, second, third, fourth] = process.argv.slice(2);
try {
  if (what === "samples") await samples(first, second === "--short");
  if (what === "pictures") await pictures(first, second, third);
  if (what === "passkeys") {
    await passkeys(first, second);
    await enrolment(first, third);
  }
  if (what === "factors") await factors(first, second);
  if (what === "admin") await admin(first, second, third === "--short");
  if (what === "admin-pictures") await adminPictures(first, second, third, fourth);
  if (what === "life") {
    const server = await serve(first, second, "--send-activation-email", "--rate=links=600/hour"); // the scanners open many
    await life(server, false, "alice");
    if (third !== "--short") await life(server, true, "bob");
  }
} catch (error) {
  find("judge", error.stack);
} finally {
  for (const server of servers) server.kill();
  await browser.close();
  await Promise.all(servers.map((server) => server.exitCode ?? server.signalCode ?? once(server, "exit"))); // they write to folders that are removed
}
process.stdout.write(JSON.stringify({ findings, counted }, null, 1) + "\n");
