// Judges the administration: every page of it, and a walk with the keyboard alone.
import { execFileSync } from "node:child_process";
import { setUp } from "../frontend/credentials.mjs";
import { counted, find, judgeAxe, judgeHTML, judgeLayout, long, modes, serve, show, until, visitor } from "./kit.mjs";

// looks are the modes of the administration: English, German and Arabic.
const looks = modes.filter((m) => m.name !== "pseudo");

// wrong are the headings of the page of an error.
const wrong = ["Something went wrong", "Etwas ist schiefgegangen", "حدث خطأ ما"];

// spoken is a page in the language of a mode.
const spoken = (path, mode) => `${path}${path.includes("?") ? "&" : "?"}lang=${mode.language}`;

// filled starts a server whose lists have rows of every kind, and returns a client of its JSON.
async function filled(binary, folder, users) {
  const run = (args, env) => execFileSync(binary, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  run(["createsuperuser", "--username", "root", "--email", "root@example.com", "--noinput"], { JOTGATE_SUPERUSER_PASSWORD: long });
  const add = (user) => execFileSync(binary, ["user", "import", "-"], { cwd: folder, input: JSON.stringify({ is_active: true, ...user }), stdio: ["pipe", "pipe", "pipe"] });
  add({ username: "ada", email: "ada@example.com", first_name: "Ada", last_name: "Lovelace", providers: { google: ["1083457"], github: ["7"] } });
  for (const lifetime of ["30d", "365d"]) run(["apikey", "create", "ada", "--scope", "orders:read", "--name", `nightly ${lifetime}`, "--lifetime", lifetime]);
  // Nothing listens at port 9: e-mails stay in the queue.
  const server = await serve(binary, folder, "--mail-server", "smtp://127.0.0.1:9", "--mail-from", "site@example.com",
    "--send-activation-email=false", "--admin-set-passwords", "--providers", "google.client_id=client;github.client_id=client");
  const json = async (method, path, token, body) => {
    const response = await fetch(server.base + path, {
      method, body: body && JSON.stringify(body),
      headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(body && { "Content-Type": "application/json" }) },
    });
    const got = await response.json().catch(() => null);
    if (!response.ok && !/api.token/.test(path)) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(got)}`);
    return got;
  };
  const signIn = async (username) => (await json("POST", "/api/token/", null, { username, password: long })).access;
  const root = await signIn("root");
  const api = (path, body) => json(body ? "POST" : "GET", `/admin/api/${path}`, root, body);

  const permissions = (await api("permissions/")).results.map((p) => p.id);
  await api("groups/add/", { name: "editors", permissions: permissions.slice(0, 3) });
  await api("groups/add/", { name: "W".repeat(150) });
  await api("users/2/change/", { groups: [1], user_permissions: [permissions[0]] });
  await api("users/2/password/", { password: long });
  await api("users/add/", { username: "w".repeat(150), email: `${"m".repeat(60)}@example.com`, first_name: "=cmd|' /C calc'!A0", last_name: "\u05d0\u05d1\u05d2", send_reset: true });
  for (let i = 0; i < users; i++) await api("users/add/", { username: `user${i}`, email: `user${i}@example.org`, send_reset: false });
  add({ username: "octo", providers: { github: ["8"] } }); // who has no other way to log in
  const ada = await signIn("ada");
  const begun = await json("POST", "/auth/factors/totp/", ada);
  const [confirmed] = await setUp(begun.secret, (code) => json("POST", "/auth/factors/totp/confirm/", ada, { token: begun.token, code }).catch((error) => ({ error })));
  if (confirmed.error) throw confirmed.error;
  await api("users/2/change/", { last_name: "King" });
  await api("users/4/deactivate/", {});
  await api("invitations/add/", { email: "grace@example.com", groups: [1] });
  await api("keys/add/", {});
  await api("jobs/start/", { action: "user.deactivate", all: true, q: "user1" });
  for (let i = 0; i < 7; i++) await json("POST", "/api/token/", null, { username: "user1", password: "wrong" });
  await until(async () => (await api("jobs/")).results.every((job) => job.state === "done"));
  return { server, api };
}

// addresses lists every page: those of the OpenAPI document, which is made of the table of actions, with the rows that
// there are, and what filters, searches and errors show.
async function addresses(api) {
  const owned = await api("users/2/");
  const parts = { providers: owned.providers, apikeys: owned.api_keys };
  const octo = (await api("users/?provider=github&active=true")).results.find((r) => r.username === "octo");
  const list = ["", `users/${octo.id}/`, "users/?provider=google", "users/?q=ada&staff=false", "users/?q=a@&sort=-username", "users/?q=nothing-like-it", "users/3/", "users/1/", "events/?event=admin", "events/?user=2", "emails/preview/", "emails/preview/?kind=login_code&language=ar", "nothing"];
  for (const path of Object.keys((await api("schema/")).paths)) {
    const [, section, tail] = path.match(/^\/(\w+)\/(?:\{id\}\/)?(.*)$/);
    if (section === "actions") continue; // JSON alone
    if (!path.includes("{id}")) {
      list.push(section + "/" + tail.replace(/\/$/, ""));
      continue;
    }
    const rows = parts[section] ?? (await api(`${section}/`)).results;
    if (rows.length === 0) { find(path, "the list is empty"); continue; }
    const row = section === "users" ? rows.find((r) => r.username === "ada") : rows[0];
    list.push(`${section}/${encodeURIComponent(row.id ?? row.kid ?? row.key)}/${tail.replace(/\/$/, "")}`);
  }
  return [...new Set(list)];
}

// signedIn is a window of the superuser.
async function signedIn(server, scripts) {
  const v = await visitor(server, scripts);
  await v.go("/account/login?next=%2Fadmin%2Fusers%2F");
  await v.fill({ username: "root", password: long });
  await v.press();
  await v.is("/admin/users/", "Users");
  return v;
}

// name is a page without its keys: users-id-delete.
const name = (path) => path.replace(/\?.*/, "-filtered").replace(/^(\w+)\/[^/]+\/(.*)$/, (all, s, t) => `${s}-id-${t}`).replace(/\/add$/, "-add").replace(/[^\w-]+/g, "") || "start";

export async function admin(binary, folder, short) {
  const { server, api } = await filled(binary, folder, short ? 12 : 105);
  const v = await signedIn(server, true);
  const seen = new Set();
  for (const [i, path] of (await addresses(api)).entries()) {
    const kind = name(path);
    for (const [j, mode] of looks.entries()) {
      if (short && (i + j) % looks.length) continue;
      const at = `admin/${path} (${mode.name})`;
      await show(v.page, mode, `${server.base}/admin/${spoken(path, mode)}`);
      const response = await v.page.evaluate(() => document.querySelector("h1")?.textContent);
      if (!response || (path !== "nothing") === wrong.includes(response)) find(at, `has the heading ${response}`);
      await judgeLayout(v.page, at, mode);
      // The questions before an action have the same elements, and so have a list with and without filters.
      const template = await v.page.$("main form.panel") ? "confirm" : kind.replace(/-(filtered|change)$/, "").replace(/^(start|jobs-?start|users-?export)$/, "users").replace(/^events-?export$/, "events");
      if (short && seen.has(template)) continue;
      seen.add(template);
      await judgeAxe(v.page, at, mode);
      if (mode === looks[0] || short) await reachable(v.page, at);
    }
    const html = await v.page.evaluate(async (address) => (await fetch(address)).text(), `${server.base}/admin/${path}`).catch(() => "");
    if (html) await judgeHTML(`admin/${path}`, html, 120 << 10);
    else find(kind, "the text was not read");
  }
  await v.go("/admin/users/"); // one box ticks the whole page
  await v.page.click("[data-tick] input");
  const ticked = await v.page.$$eval("input[name=selected]", (boxes) => boxes.map((box) => box.checked));
  if (ticked.length < 10 || ticked.includes(false)) find("admin/users/", `the box of the column ticks ${ticked}`);
  await v.context.close();
  await walk(server);
}

// reachable presses the tabulator key through a page: each element that can be used is reached, in the order of the
// document, and shows that it has the focus.
async function reachable(page, at) {
  const expected = await page.evaluate(() => {
    document.activeElement?.blur();
    getSelection().removeAllRanges();
    window.stops = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
      .filter((e) => !e.disabled && e.checkVisibility() && !e.closest("details:not([open]) > :not(summary)"));
    return window.stops.length;
  });
  if (expected > 70) { // the first rows stand for the others
    await page.evaluate(() => { for (const row of [...document.querySelectorAll("tbody tr")].slice(5)) row.remove(); for (const p of document.querySelectorAll(".pick")) [...p.children].slice(3).forEach((e) => e.remove()); });
    return reachable(page, at);
  }
  for (let i = 0; i < expected; i++) {
    await page.keyboard.press("Tab");
    counted.keys = (counted.keys ?? 0) + 1;
    while (await page.evaluate(() => document.activeElement?.tagName === "IFRAME")) await page.keyboard.press("Tab"); // the links of an e-mail
    while (await page.evaluate((i) => document.activeElement?.type === "date" && window.stops.indexOf(document.activeElement) < i, i)) await page.keyboard.press("Tab"); // year, month and day
    const [index, visible, what] = await page.evaluate(() => {
      const e = document.activeElement, s = getComputedStyle(e);
      return [window.stops.indexOf(e), s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2, e.outerHTML.slice(0, 80)];
    });
    if (index !== i) { find(at, `the ${i + 1}th press of the tabulator key reaches element ${index + 1} of ${expected}: ${what}`); return; }
    if (!visible) find(at, `the focus is not visible: ${what}`);
  }
}

// walk does what administrators do, with the keyboard alone and without scripts: it searches, changes, deactivates, does
// an action to many users, undoes it, and sees what it has done in the audit trail.
async function walk(server) {
  const v = await signedIn(server, false);
  const { page } = v;
  const press = async (key) => { counted.keys = (counted.keys ?? 0) + 1; await page.keyboard.press(key); };
  // to moves the focus to the element that the text, or the name of a field, belongs to.
  const to = async (what) => {
    for (let i = 0; i < 600; i++) {
      await press("Tab");
      const got = await page.evaluate(() => { const e = document.activeElement; return [e.name ?? "", e.textContent.trim(), e.value ?? ""]; });
      if (got[0] === what || got[1] === what || `${got[0]}=${got[2]}` === what) return;
    }
    throw new Error(`${page.url()}: the tabulator key does not reach ${what}`);
  };
  const enter = async () => { await Promise.all([page.waitForNavigation(), press("Enter")]); };
  const clear = async () => { await page.keyboard.down("Control"); await press("a"); await page.keyboard.up("Control"); };
  await page.setViewport({ width: 1000, height: 720 });

  await v.go("/admin/users/");
  await press("Tab");
  await press("Enter"); // the link that skips the menu
  await to("q");
  await page.keyboard.type("user7");
  await enter();
  await v.is("/admin/users/?q=user7", "Users");
  await to("user7");
  await enter();
  await v.is("/admin/users/", "user7");
  await to("first_name");
  await clear();
  await page.keyboard.type("Grace");
  await to("Save");
  await enter();
  await v.is("/admin/users/?done=user.change&id=11&q=user7", "Users"); // the list as it was
  const said = await page.$eval(".notice[role=status]", (e) => e.textContent);
  if (said !== "The user was saved. user7") find("walk", `the change was not announced: ${said}`);
  await to("user7"); // the link of the notice
  await enter();
  await v.is("/admin/users/11/", "user7");
  await to("Save and continue editing");
  await enter();
  await v.is("/admin/users/11/?done=user.change", "user7");
  await to("Deactivate");
  await enter();
  await v.is("/admin/users/", "Deactivate");
  await to("Continue");
  await enter();
  if (!/done=user.deactivate/.test(page.url())) find("walk", `the user was not deactivated: ${page.url()}`);

  await v.go("/admin/users/?q=user3");
  await to("action");
  const picked = () => page.evaluate(() => { const e = document.activeElement; return [e.selectedOptions[0].textContent.trim(), e.selectedIndex + 1 === e.options.length]; });
  for (let [option, last] = await picked(); option !== "Deactivate"; [option, last] = await picked()) {
    if (last) throw new Error("the list of actions has no Deactivate");
    await press("ArrowDown");
  }
  await to("all");
  await press("Space");
  await to("Continue");
  await enter();
  await v.is("/admin/users/confirm", "Do this to many users");
  await to("Continue");
  await enter();
  await v.is("/admin/jobs/", "Deactivate");
  await until(() => page.reload().then(() => page.$("form[action$=undo]")).catch(() => false)); // the page reloads itself as well
  await to("Undo");
  await enter();
  await v.is("/admin/jobs/", "Deactivate");
  await v.go("/admin/events/?actor=1");
  await v.is("/admin/events/", "Audit trail");
  const trail = await page.$eval("tbody", (e) => e.textContent);
  for (const what of ["Change user", "Deactivate", "Do this to many users", "Undo", "Grace"]) {
    if (!trail.includes(what)) find("walk", `the audit trail does not show ${what}`);
  }

  await v.go("/admin/users/add"); // what is wrong is said at the field
  await to("username");
  await page.keyboard.type("no spaces");
  await to("Save");
  await enter();
  await v.is("/admin/users/add", "Add user");
  await page.setJavaScriptEnabled(true); // for axe
  await judgeAxe(page, "admin/users/add with an error", looks[0]);
  await judgeHTML("admin/users/add with an error", await page.content(), 120 << 10);
  if (!await page.$("#username[aria-invalid=true][aria-describedby]")) find("walk", "the field with the error is not marked");
  await v.context.close();
}

// adminPictures takes pictures of the pages whose names match an expression.
export async function adminPictures(binary, folder, pictures, expression = "") {
  const { server, api } = await filled(binary, folder, 30);
  const v = await signedIn(server, true);
  for (const path of (await addresses(api)).filter((p) => name(p).match(expression))) {
    for (const mode of looks) {
      await show(v.page, mode, `${server.base}/admin/${spoken(path, mode)}`);
      const height = await v.page.evaluate(() => document.documentElement.scrollHeight);
      await v.page.setViewport({ width: mode.width, height: Math.min(height, 4000) });
      await v.page.screenshot({ path: `${pictures}/admin-${name(path)}-${mode.name}.png` });
      counted.pages++;
    }
  }
}
