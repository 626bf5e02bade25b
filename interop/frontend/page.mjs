// The token code of pages, as the README of each package from npm has it: axios-jwt and axios-auth-refresh, with
// jotgate's addresses and names of fields in place of the examples', and that of examples/browser. browser.mjs runs it
// in Chromium, on an origin of its own.
import axios from "axios";
import { createAuthRefresh } from "axios-auth-refresh-5";
import { applyAuthTokenInterceptor, clearAuthTokens, getAccessToken, getRefreshToken, isLoggedIn, setAccessToken, setAuthTokens } from "axios-jwt";
import { accounts } from "../../examples/browser/accounts.js";

const credentials = { username: "alice", password: "correct horse battery" };
const names = (responses) => responses.map((r) => r.data.username);
const three = (api) => Promise.all([1, 2, 3].map(() => api.get("/auth/users/me/")));

// expired is a token that ran out long ago, as the package reads it; what it is signed with does not matter there.
const part = (o) => btoa(JSON.stringify(o)).replace(/=+$/, "");
const expired = `${part({ alg: "HS256" })}.${part({ exp: 1 })}.x`;

// axiosJWT is the README's "Non-TypeScript implementation". With both, requestRefresh returns both tokens, as its
// comment says for "if your backend supports rotating refresh tokens".
async function axiosJWT(BASE_URL, both) {
  const axiosInstance = axios.create({ baseURL: BASE_URL });
  let refreshes = 0;
  const requestRefresh = (refresh) => {
    refreshes++;
    return axios.post(`${BASE_URL}/api/token/refresh/`, { refresh })
      .then((response) => (both ? { accessToken: response.data.access, refreshToken: response.data.refresh } : response.data.access));
  };
  applyAuthTokenInterceptor(axiosInstance, { requestRefresh });
  const out = { rounds: [] };
  if (!(await isLoggedIn())) {
    const response = await axios.post(`${BASE_URL}/api/token/`, credentials);
    await setAuthTokens({ accessToken: response.data.access, refreshToken: response.data.refresh });
  }
  for (let i = 0; i < 3; i++) {
    out.rounds.push(await three(axiosInstance).then(names, (e) => e.response?.data?.code ?? e.message));
    await setAccessToken(expired);
  }
  out.rounds.push(await three(axiosInstance).then(names, (e) => e.response?.data?.code ?? e.message));
  out.refreshes = refreshes;
  out.kept = Boolean((await getAccessToken()) && (await getRefreshToken()));
  return out;
}

// axiosAuthRefresh is the README's "Usage" with its request interceptor: the refresh has no body, since the browser
// sends the cookie.
async function axiosAuthRefresh(BASE_URL) {
  const api = axios.create({ baseURL: BASE_URL, withCredentials: true });
  let refreshes = 0;
  const refreshAuthLogic = (failedRequest) => {
    refreshes++;
    return axios.post(`${BASE_URL}/api/token/refresh/`, undefined, { withCredentials: true }).then((tokenRefreshResponse) => {
      localStorage.setItem("token", tokenRefreshResponse.data.access);
      failedRequest.response.config.headers.Authorization = "Bearer " + tokenRefreshResponse.data.access;
      return Promise.resolve();
    });
  };
  createAuthRefresh(api, refreshAuthLogic);
  api.interceptors.request.use((request) => {
    request.headers.Authorization = `Bearer ${localStorage.getItem("token")}`;
    return request;
  });
  const out = { rounds: [] };
  if (!localStorage.getItem("token")) {
    const { data } = await axios.post(`${BASE_URL}/api/token/`, credentials, { withCredentials: true });
    out.refreshInBody = "refresh" in data;
    localStorage.setItem("token", data.access);
  }
  for (let i = 0; i < 3; i++) {
    out.rounds.push(await api.get("/auth/users/me/").then((r) => r.data.username, (e) => e.response?.data?.code ?? e.message));
    localStorage.setItem("token", expired);
  }
  out.rounds.push(await api.get("/auth/users/me/").then((r) => r.data.username, (e) => e.response?.data?.code ?? e.message));
  out.refreshes = refreshes;
  out.cookie = document.cookie;
  return out;
}

// ownFetch is examples/browser: its access token is replaced by an expired one before each call, and three calls find
// that out at the same time. It logs out in the second run.
async function ownFetch(BASE_URL) {
  const real = window.fetch;
  let refreshes = 0, stale = 0;
  window.fetch = (url, options) => {
    if (url.endsWith("/api/token/refresh/")) refreshes++;
    if (stale > 0 && url.endsWith("/auth/users/me/") && stale--) options.headers.Authorization = `Bearer ${expired}`;
    return real(url, options);
  };
  const account = accounts(BASE_URL);
  const me = () => account.call("/auth/users/me/").then(async (r) => (await r.json()).username ?? r.status);
  const restored = (await account.refresh()).ok;
  const out = { rounds: [restored] };
  if (!restored) {
    const wrong = await account.login(credentials.username, "wrong");
    out.rounds.push(wrong.detail);
    const right = await account.login(credentials.username, credentials.password);
    out.rounds.push(right.user.username);
    out.refreshInBody = "refresh" in right;
  }
  for (stale of [3, 1]) out.rounds.push(await Promise.all([me(), me(), me()]));
  if (restored) {
    await account.logout();
    out.rounds.push((await account.refresh()).code, await me());
  }
  out.refreshes = refreshes;
  out.cookie = document.cookie;
  return out;
}

window.clients = {
  "examples/browser": ownFetch,
  "axios-jwt": (base) => axiosJWT(base, false),
  "axios-jwt, both tokens": (base) => axiosJWT(base, true),
  "axios-auth-refresh": (base) => axiosAuthRefresh(base),
  logout: () => clearAuthTokens(),
};
