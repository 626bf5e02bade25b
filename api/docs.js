"use strict";
// "Try it out" uses an access token of the user who is signed in at the pages, if
// there is one. It is fetched when it is needed and kept in memory for a minute.
const tokenURL = location.pathname.replace(/api\/docs\/?$/, "account/token");
let token;
let fetched = -Infinity;
async function access() {
  if (performance.now() - fetched > 60000) {
    fetched = performance.now();
    const response = await fetch(tokenURL, { method: "POST" }).catch(() => ({}));
    token = response.ok ? (await response.json()).access : undefined;
  }
  return token;
}
async function authorize(request) {
  const own = new URL(request.url, location.href).origin === location.origin;
  if (own && !request.loadSpec && !request.headers.Authorization && (await access()))
    request.headers.Authorization = "Bearer " + token;
  return request;
}
SwaggerUIBundle({
  url: "/api/schema/", dom_id: "#docs", deepLinking: true, validatorUrl: null, persistAuthorization: false,
  defaultModelsExpandDepth: 0, requestInterceptor: authorize,
});
