/** The browser tab: its title and icon say the state, so that a tab in the background is worth having. */
import { plural } from "../format.ts";
import connecting from "../icons/connecting.svg?inline";
import down from "../icons/down.svg?inline";
import high from "../icons/high.svg?inline";
import live from "../icons/live.svg?inline";
import stale from "../icons/stale.svg?inline";
import type { Headline } from "../states.ts";
import { need, setAttribute } from "./dom.ts";

const TITLE = "Real-Time IoT Dashboard";

/** Different shapes, not only colours. Inlined: without a server there would be none to fetch. */
function iconOf(state: Headline["state"]): string {
  if (state === "in-alarm") return high;
  if (state === "live") return live;
  if (state === "kafka-down") return down;
  return state === "connecting" ? connecting : stale;
}

export function titleView(page: Document): (headline: Headline, inAlarm: number) => void {
  const icon = need(page, "link[rel=icon]", HTMLLinkElement);
  return ({ state, word }, inAlarm) => {
    const trouble = state === "live" ? "" : `${word} · `;
    const prefix = state === "in-alarm" ? `▲ ${plural(inAlarm, "device")} in alarm · ` : trouble;
    const title = prefix + TITLE;
    if (page.title !== title) page.title = title;
    setAttribute(icon, "href", iconOf(state));
  };
}
