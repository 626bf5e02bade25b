// Accounts at jotgate for a page of another origin:
//
//     jotgate serve --cors-origins https://app.example.com --refresh-cookie
//
// The access token is in memory only, and the refresh token in a cookie that no script can read. On the same origin base
// is "" and --cors-origins is not needed.
export function accounts(base) {
  let access = "";
  let refreshing;

  function send(path, options = {}) {
    const headers = { ...options.headers, ...(access && { Authorization: `Bearer ${access}` }) };
    return fetch(base + path, { ...options, headers });
  }

  const json = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

  // begin sends a request whose response has tokens; the refresh token is in a cookie.
  async function begin(path, body, request) {
    const response = await request(path, { ...json(body), credentials: "include" });
    const answer = await response.json().catch(() => ({})); // a gateway may respond with a page
    if (response.ok) access = answer.access;
    return { ok: response.ok, status: response.status, ...answer };
  }

  const login = (path, body) => begin(path, body, (path, options) => fetch(base + path, options));

  // refresh gets a new access token; ok is false if nobody is logged in. Calls at the same time share one request.
  const refresh = () => (refreshing ??= login("/api/token/refresh/", {}).finally(() => { refreshing = undefined; }));

  // code returns that of an error. A gateway such as nginx responds with a page of its own to a token that is not valid.
  const code = (response) => response.clone().json().then((answer) => answer.code, () => "token_not_valid");

  // call is fetch with the access token, which is renewed when it has expired. A 401 with another code, such as
  // code_not_valid or insufficient_user_authentication, is an answer: sending the request again would count twice.
  async function call(path, options) {
    const used = access;
    const response = await send(path, options);
    if (response.status !== 401 || (used && (await code(response)) !== "token_not_valid")) return response;
    return access !== used || (await refresh()).ok ? send(path, options) : response; // another call may have renewed it
  }

  return {
    refresh, // call it when the page is loaded
    call,
    post: (path, body) => call(path, json(body)),
    login: (username, password) => login("/api/token/", { username, password }),
    code: (pending, code) => login("/api/token/mfa/", { pending, code }), // after a login with the code mfa_required
    finish: login, // other logins: finish("/api/token/passkey/", {pending, credential}), finish("/api/token/provider/code/", …)
    again: (proof) => begin("/auth/again/", proof, call), // {password} or {code}, after insufficient_user_authentication
    // logout works without an access token, too: the cookie says whose session it is.
    async logout() {
      const response = await fetch(base + "/api/token/blacklist/", { ...json({}), credentials: "include" });
      access = "";
      return { ok: response.ok };
    },
  };
}
