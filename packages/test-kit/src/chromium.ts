/** Chromium for tests: the machine's own, found by CHROMIUM_PATH or at the usual places. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const USUAL_PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** Quiet and alone: no sandbox (containers have none to give), no GPU, and no talk with the outside. */
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where Chromium lies on this machine; undefined: nowhere. */
export const chromiumPath: string | undefined = [process.env["CHROMIUM_PATH"], ...USUAL_PLACES].find(
  (path) => path !== undefined && existsSync(path),
);

/** True where browser tests can't run and may be skipped by name. With CI=true they run, and so fail. */
export const isChromiumMissing: boolean = chromiumPath === undefined && process.env["CI"] !== "true";

/** @param moreArguments beyond the quiet ones that every test has */
export async function launchChromium(...moreArguments: string[]): Promise<Browser> {
  if (chromiumPath === undefined) {
    throw new TypeError("No Chromium on this machine: install it, or set CHROMIUM_PATH to its executable.");
  }
  return chromium.launch({ executablePath: chromiumPath, args: [...ARGUMENTS, ...moreArguments] });
}
