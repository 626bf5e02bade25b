// A single-page application on another origin than the API, as a newcomer writes it from docs/http-api.md and
// examples/browser: walk.mjs opens it in Chromium and calls these functions as a user would press buttons.
import { accounts } from "../../examples/browser/accounts.js";
import * as passkey from "../../factor/passkey/passkey.js";

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

window.start = (base) => {
  const account = accounts(base);
  const said = async (promise) => {
    const response = await promise;
    const text = await response.text();
    return { status: response.status, ...(text && JSON.parse(text)) };
  };
  const send = (method, path, body) => said(account.call(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));
  window.app = {
    ...account, send,
    me: () => said(account.call("/auth/users/me/")),
    post: (path, body) => said(account.post(path, body)),
    // link follows a link of an e-mail, which leads to this page: #/activate/{uid}/{token}.
    link: (path, more) => {
      const [uid, token] = location.hash.split("/").slice(-2);
      return send("POST", path, { uid, token, ...more });
    },
    // signInAt begins signing in with a provider, and returns the URL to open. The verifier stays in this tab.
    async signInAt(provider, redirect_uri) {
      const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
      const state = base64url(crypto.getRandomValues(new Uint8Array(16)));
      sessionStorage.setItem("signing in", JSON.stringify({ verifier, state, redirect_uri }));
      const code_challenge = base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
      return said(fetch(base + "/account/provider/start", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ provider, redirect_uri, code_challenge, state }),
      }));
    },
    // signedIn exchanges the code with which the browser has returned.
    signedIn(change = {}) {
      const { verifier, state, redirect_uri } = JSON.parse(sessionStorage.getItem("signing in"));
      const query = new URLSearchParams(location.search);
      if (query.get("state") !== state) return { status: 0, code: "another state" };
      return account.finish("/api/token/provider/code/", { code: query.get("code"), code_verifier: verifier, redirect_uri, ...change });
    },
    async withPasskey() {
      const begun = await send("POST", "/api/token/passkey/options/", {});
      return account.finish("/api/token/passkey/", { pending: begun.pending, credential: await passkey.get(begun.publicKey) });
    },
    async addPasskey() {
      const begun = await send("POST", "/auth/factors/passkeys/options/", {});
      if (begun.status !== 200) return begun;
      return send("POST", "/auth/factors/passkeys/", { pending: begun.pending, credential: await passkey.create(begun.publicKey) });
    },
  };
};
