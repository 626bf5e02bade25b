// Chromium and the pages of the scripts of this folder. The limits of time only end what hangs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import puppeteer from "puppeteer-core";

const limit = 10 * 60 * 1000; // milliseconds

// What Chromium leaves behind is in a folder that is removed at the end.
const folder = mkdtempSync(join(tmpdir(), "c-")); // short: the path of a socket has 107 bytes
process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 100, retryDelay: 100 }));

// launch starts a browser. One that does not come up is started again: it has loaded no page yet.
export async function launch() {
  for (let attempt = 1; ; attempt++) {
    try {
      return await puppeteer.launch({
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--no-proxy-server"],
        timeout: limit, protocolTimeout: limit, env: { ...process.env, TMPDIR: folder },
      });
    } catch (error) {
      if (attempt === 3) throw error;
      console.error(error);
    }
  }
}

// open opens a tab.
export async function open(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(limit);
  return page;
}

// scriptPage returns the HTML of a page that runs a script of this folder.
export async function scriptPage(file, options) {
  const { outputFiles } = await build({ entryPoints: [file], bundle: true, write: false, format: "iife", platform: "browser", logLevel: "error", ...options });
  return `<!doctype html><script>${outputFiles[0].text.replaceAll("</script", "<\\/script")}</script>`;
}
