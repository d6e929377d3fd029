/** The list of alert episodes. */
import type { EpisodeLine } from "../alerts.ts";
import { plural } from "../format.ts";
import { linkTo, type OnDevice } from "./device-link.ts";
import {
  KeyedList,
  need,
  newElement,
  newIcon,
  setAttribute,
  setHidden,
  setIcon,
  setState,
  setText,
} from "./dom.ts";

const ICONS = { ongoing: "high", unknown: "unknown", ended: "over" } as const;

export function alertsView(page: ParentNode, onDevice: OnDevice) {
  const none = need(page, ".alerts-none", HTMLElement);
  const scroll = need(page, ".alerts-scroll", HTMLElement);
  const more = need(page, ".alerts-more", HTMLButtonElement);
  more.addEventListener("click", () => toggleEarlier(more, episodes));
  const episodes = need(page, ".episodes", HTMLElement);
  const list = new KeyedList(episodes, {
    key: ({ id }: EpisodeLine) => id,
    make: (line: EpisodeLine) => make(line, onDevice),
    draw,
  });
  return (lines: readonly EpisodeLine[], noneText: string): void => {
    list.update(lines);
    setText(none, noneText);
    setHidden(none, noneText === "");
    setHidden(scroll, lines.length === 0);
    const earlier = lines.filter(({ isEarlier }) => isEarlier).length;
    setHidden(more, earlier === 0);
    setText(more, plural(earlier, "earlier alert"));
  };
}

/** Where the list scrolls in itself all are shown anyway, and the button is not there: that is the style sheet's. */
function toggleEarlier(more: Element, episodes: Element): void {
  const isShown = more.getAttribute("aria-expanded") !== "true";
  setAttribute(more, "aria-expanded", String(isShown));
  setAttribute(episodes, "data-all", String(isShown));
  // Keys and screen readers continue with what has come, not behind it.
  if (isShown) episodes.querySelector<HTMLElement>("[data-earlier=true] a")?.focus();
}

function make({ device }: EpisodeLine, onDevice: OnDevice) {
  const icon = newIcon("high");
  const word = newElement("span", "episode-word");
  const name = linkTo(device, "episode-device", onDevice);
  name.append(newElement("bdi", "", device));
  const value = newElement("span", "episode-value");
  const detail = newElement("span", "episode-detail");
  const element = newElement("li", "episode", icon, newElement("span", "", word, " ", name), value, detail);
  setAttribute(element, "data-testid", "episode");
  return { element, icon, word, value, detail };
}

function draw({ element, icon, word, value, detail }: ReturnType<typeof make>, line: EpisodeLine): void {
  setState(element, line.state);
  setAttribute(element, "data-earlier", String(line.isEarlier));
  setIcon(icon, ICONS[line.state]);
  setText(word, line.word);
  setText(value, line.value);
  setText(detail, line.detail);
}
