// Runs a client of page.mjs in Chromium, on an origin of its own, twice with a reload between, and prints what each
// run returned, one line of JSON: browser.mjs API ORIGIN CLIENT.
import { createServer } from "node:http";
import * as chromium from "./chromium.mjs";

const [api, origin, client] = process.argv.slice(2);
const html = await chromium.scriptPage("page.mjs", { define: { "process.env.NODE_ENV": '"production"' } });
const { hostname, port } = new URL(origin);
const site = createServer((request, response) => {
  response.setHeader("Content-Type", "text/html");
  response.end(request.url === "/" ? html : "");
}).listen(Number(port), hostname);

const browser = await chromium.launch();
try {
  const page = await chromium.open(browser);
  const runs = [];
  for (let i = 0; i < 2; i++) {
    await page.goto(origin + "/");
    runs.push(await page.evaluate((name, base) => window.clients[name](base), client, api));
  }
  console.log(JSON.stringify(runs));
} finally {
  await browser.close();
  site.close();
}
