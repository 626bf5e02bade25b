// A front end's token code as it is written for SimpleJWT: axios, an interceptor that adds the access token, and
// axios-auth-refresh, which on a 401 exchanges the refresh token once and repeats the requests that failed. Nothing
// here knows of jotgate. It prints what happened, one line of JSON.
import axios from "axios";
import refreshInterceptor from "axios-auth-refresh";
import { expired } from "./credentials.mjs";

const [baseURL, secret] = process.argv.slice(2);
const createAuthRefreshInterceptor = refreshInterceptor.default ?? refreshInterceptor;
const storage = new Map(); // a page has localStorage
const out = {};
let refreshes = 0;

const api = axios.create({ baseURL });
api.interceptors.request.use((config) => {
  const access = storage.get("access");
  if (access) config.headers.Authorization = `Bearer ${access}`;
  return config;
});
// refused is fulfilled when three requests were: one that is refused after the refresh would need another one.
const refused = new Promise((done) => {
  let count = 0;
  api.interceptors.response.use(undefined, (error) => {
    if (error.response?.status === 401 && ++count === 3) done();
    return Promise.reject(error);
  });
});
createAuthRefreshInterceptor(api, async (failed) => {
  refreshes++;
  out.refused ??= failed.response.data.messages[0].message;
  await refused;
  const { data } = await axios.post(`${baseURL}/api/token/refresh/`, { refresh: storage.get("refresh") });
  storage.set("access", data.access);
  if (data.refresh) storage.set("refresh", data.refresh);
  failed.response.config.headers.Authorization = `Bearer ${data.access}`;
});

await axios.post(`${baseURL}/auth/users/`, { username: "alice", email: "alice@example.com", password: "correct horse battery" });
const wrong = await axios.post(`${baseURL}/api/token/`, { username: "alice", password: "wrong" }).catch((e) => e.response);
out.wrong = [wrong.status, wrong.data];
const login = await axios.post(`${baseURL}/api/token/`, { username: "alice", password: "correct horse battery" });
storage.set("access", login.data.access).set("refresh", login.data.refresh);
out.me = (await api.get("/auth/users/me/")).data;

const first = storage.get("access");
storage.set("access", expired(secret));
out.afterExpiry = (await Promise.all([1, 2, 3].map(() => api.get("/auth/users/me/")))).map((r) => r.data.username);
out.refreshes = refreshes;
out.newAccess = ![first, expired(secret)].includes(storage.get("access"));

out.logout = (await axios.post(`${baseURL}/api/token/blacklist/`, { refresh: storage.get("refresh") })).status;
const gone = await api.get("/auth/users/me/").catch((e) => e.response);
out.afterLogout = [gone.status, gone.data];
console.log(JSON.stringify(out));
