/** The browser tab: its title and icon say the state, so that a tab in the background is worth having. */
import { plural } from "../format.ts";
import connecting from "../icons/connecting.svg?inline";
import down from "../icons/down.svg?inline";
import high from "../icons/high.svg?inline";
import live from "../icons/live.svg?inline";
import stale from "../icons/stale.svg?inline";
import type { Notice } from "../states.ts";
import { need, setAttribute } from "./dom.ts";

const TITLE = "Real-Time IoT Dashboard";

/** Different shapes, not only colours. Inlined: without a server there would be none to fetch. */
function iconOf(state: Notice["state"], isHigh: boolean): string {
  if (isHigh) return high;
  if (state === "live") return live;
  if (state === "kafka-down") return down;
  return state === "connecting" ? connecting : stale;
}

/** Alarms that are known to be open come before what else is wrong. */
export function titleView(page: Document): (worst: Notice, inAlarm: number) => void {
  const icon = need(page, "link[rel=icon]", HTMLLinkElement);
  return (worst, inAlarm) => {
    const isHigh = inAlarm > 0;
    const trouble = worst.state === "live" ? "" : `${worst.word} · `;
    const prefix = isHigh ? `▲ ${plural(inAlarm, "device")} in alarm · ` : trouble;
    const title = prefix + TITLE;
    if (page.title !== title) page.title = title;
    setAttribute(icon, "href", iconOf(worst.state, isHigh));
  };
}
