/** Runs once before tests that open the page as the dashboard serves it: built beforehand, not by each of them. */
import { root } from "../system/layout.ts";
import { buildPageWhenNeeded } from "./build.ts";

export function setup(): Promise<void> {
  return buildPageWhenNeeded(root, () => console.log("Building the page ..."));
}
