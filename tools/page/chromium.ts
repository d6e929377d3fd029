/** Chromium of this machine, for tools that look at the page. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { ToolError } from "../supervise/errors.ts";

const USUAL_PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** @throws ToolError where there is none */
export async function launchChromium(): Promise<Browser> {
  const places = [process.env.CHROMIUM_PATH, ...USUAL_PLACES].filter((place) => place !== undefined);
  const executablePath = places.find((place) => existsSync(place));
  if (executablePath === undefined) {
    throw new ToolError(
      "No Chromium on this machine: install one, or say by CHROMIUM_PATH where its program is.",
      {
        exitCode: 2,
      },
    );
  }
  // Containers have no sandbox to give; nothing but our own page is opened.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}
