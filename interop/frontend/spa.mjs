// A single-page application on another origin than the API, as a newcomer writes it from docs/http-api.md and
// examples/browser: walk.mjs opens it in Chromium and calls these functions as a user would press buttons.
import { accounts } from "../../examples/browser/accounts.js";
import * as passkey from "../../factor/passkey/passkey.js";

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
