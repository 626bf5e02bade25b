// A front end of another origin than the API, as a user of jotgate would write it.
import * as passkey from "./passkey.js";

const api = document.documentElement.dataset.api;
const say = (text) => (document.getElementById("status").textContent = text);
let access; // the access token

async function send(method, path, body) {
  const headers = { "Content-Type": "application/json", ...(access && { Authorization: `Bearer ${access}` }) };
  const response = await fetch(api + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  const answer = { status: response.status, ...(text && JSON.parse(text)) };
  if (!response.ok) throw Object.assign(new Error(answer.code ?? answer.detail ?? text), answer);
  return answer;
}

function loggedIn(tokens) {
  access = tokens.access;
  say(`Hello, ${tokens.user.username}`);
  return tokens;
}

// finish sends a credential. A passkey that was removed is forgotten in the browser, too.
async function finish(begun, credential) {
  try {
    return loggedIn(await send("POST", "/api/token/passkey/", { pending: begun.pending, credential }));
  } catch (e) {
    if (e.code === "passkey_unknown") await passkey.forget(begun.publicKey.rpId, credential.id);
    throw e;
  }
}

async function withPasskey(pending) {
  const begun = await send("POST", "/api/token/passkey/options/", pending ? { pending } : {});
  return finish(begun, await passkey.get(begun.publicKey));
}

globalThis.app = {
  send,
  withPasskey,
  logout: () => (access = undefined),
  async password(username, password) {
    try {
      return loggedIn(await send("POST", "/api/token/", { username, password }));
    } catch (e) {
      if (e.code !== "mfa_required") throw e;
      return withPasskey(e.pending); // the second factor
    }
  },
  async register(name, passwordless = true) {
    const begun = await send("POST", "/auth/factors/passkeys/options/", { passwordless });
    const credential = await passkey.create(begun.publicKey);
    return send("POST", "/auth/factors/passkeys/", { pending: begun.pending, credential, name });
  },
  async again() {
    const begun = await send("POST", "/auth/again/passkey/options/");
    return loggedIn(await send("POST", "/auth/again/passkey/", { pending: begun.pending, credential: await passkey.get(begun.publicKey) }));
  },
  async remove() {
    const { passkeys } = await send("GET", "/auth/factors/passkeys/");
    return send("DELETE", `/auth/factors/${passkeys[0].id}/`);
  },
  async signal() {
    await passkey.signal((await send("GET", "/auth/factors/passkeys/")).signals);
  },
  autofill() {
    let begun;
    return passkey.autofill(
      async () => (begun = await send("POST", "/api/token/passkey/options/", {})).publicKey,
      (credential) => finish(begun, credential),
    );
  },
  // outcome returns the result of a promise, or the name of its error, for the test.
  outcome: (promise) => promise.then((v) => v?.user?.username ?? "ok", (e) => e.code && typeof e.code === "string" ? e.code : e.name),
};

const button = document.getElementById("passkey");
button.hidden = !passkey.supported();
button.addEventListener("click", () => withPasskey().catch((e) => say(e.message)));
document.getElementById("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const { username, password } = event.target.elements;
  app.password(username.value, password.value).catch((e) => say(e.message));
});
document.documentElement.dataset.ready = "yes";
