/** The browser tab: its title and icon say the state, so that a tab in the background is worth having. */
import { plural } from "../format.ts";
import type { Flow, Notice } from "../states.ts";
import { need, setAttribute } from "./dom.ts";

const TITLE = "Real-Time IoT Dashboard";

const ICONS: Record<Flow, string> = {
  live: "live",
  stale: "stale",
  "no-data": "stale",
  "kafka-down": "down",
  connecting: "connecting",
};

export function titleView(page: Document): (notice: Notice, inAlarm: number) => void {
  const icon = need(page, "link[rel=icon]", HTMLLinkElement);
  return (notice, inAlarm) => {
    const live = notice.state === "live";
    const high = live && inAlarm > 0;
    const prefix = high ? `▲ ${plural(inAlarm, "device")} too hot · ` : live ? "" : `${notice.word} · `;
    const title = prefix + TITLE;
    if (page.title !== title) page.title = title;
    const name = high
      ? "high"
      : (Object.entries(ICONS).find(([state]) => state === notice.state)?.[1] ?? "stale");
    setAttribute(icon, "href", `./favicon-${name}.svg`);
  };
}
