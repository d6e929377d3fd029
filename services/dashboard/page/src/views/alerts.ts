/** The list of alert episodes. */
import type { EpisodeLine } from "../alerts.ts";
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
  const list = new KeyedList(need(page, ".episodes", HTMLElement), {
    key: ({ id }: EpisodeLine) => id,
    make: (line: EpisodeLine) => make(line, onDevice),
    draw,
  });
  return (lines: readonly EpisodeLine[], noneText: string): void => {
    list.update(lines);
    setText(none, noneText);
    setHidden(none, noneText === "");
    setHidden(scroll, lines.length === 0);
  };
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
  setIcon(icon, ICONS[line.state]);
  setText(word, line.word);
  setText(value, line.value);
  setText(detail, line.detail);
}
