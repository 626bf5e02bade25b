// Accounts at jotgate for a page of another origin:
//
//     jotgate serve --cors-origins https://app.example.com --refresh-cookie
//
// The access token is in memory only, and the refresh token in a cookie that no script can read.
export function accounts(base) {
  let access = "";
  let refreshing;

  async function send(path, options = {}) {
    const headers = { ...options.headers, ...(access && { Authorization: `Bearer ${access}` }) };
    return fetch(base + path, { ...options, headers });
  }

  async function begin(path, body) {
    const response = await fetch(base + path, {
      method: "POST", credentials: "include",
      headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    const answer = await response.json();
    access = response.ok ? answer.access : "";
    return { ok: response.ok, ...answer };
  }

  // refresh gets a new access token; ok is false if nobody is logged in. Calls at the same time share one request.
  const refresh = () => (refreshing ??= begin("/api/token/refresh/", {}).finally(() => { refreshing = undefined; }));

  return {
    refresh, // call it when the page is loaded
    login: (username, password) => begin("/api/token/", { username, password }),
    code: (pending, code) => begin("/api/token/mfa/", { pending, code }), // after a login with the code mfa_required
    // call is fetch with the access token, which is renewed when it has expired.
    async call(path, options) {
      const used = access;
      const response = await send(path, options);
      if (response.status !== 401) return response;
      return access !== used || (await refresh()).ok ? send(path, options) : response; // another call may have renewed it
    },
    async logout() {
      await send("/auth/logout/", { method: "POST", credentials: "include" });
      access = "";
    },
  };
}
