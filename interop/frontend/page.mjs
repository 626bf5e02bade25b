// The token code of pages, as the README of each package from npm has it: axios-jwt and axios-auth-refresh, with
// jotgate's addresses and names of fields in place of the examples'. browser.mjs runs it in Chromium, on an origin of
// its own. Nothing here knows more of jotgate.
import axios from "axios";
import { createAuthRefresh } from "axios-auth-refresh-5";
import { applyAuthTokenInterceptor, clearAuthTokens, getAccessToken, getRefreshToken, isLoggedIn, setAccessToken, setAuthTokens } from "axios-jwt";

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

window.clients = {
  "axios-jwt": (base) => axiosJWT(base, false),
  "axios-jwt, both tokens": (base) => axiosJWT(base, true),
  "axios-auth-refresh": (base) => axiosAuthRefresh(base),
  logout: () => clearAuthTokens(),
};
