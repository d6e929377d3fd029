/** A link to a device's view: a plain click switches within the page, any other opens it as links do. */
import { newElement } from "./dom.ts";

export type OnDevice = (device: string) => void;

export function linkTo(device: string, className: string, onDevice: OnDevice): HTMLAnchorElement {
  const link = newElement("a", className);
  link.href = addressOf(device);
  link.addEventListener("click", (event) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    onDevice(device);
  });
  // The choices of unit and theme may have changed since: they go along when the link is opened elsewhere.
  link.addEventListener("pointerdown", () => {
    link.href = addressOf(device);
  });
  return link;
}

function addressOf(device: string): string {
  const query = new URLSearchParams(location.search);
  query.set("device", device);
  return `?${query}`;
}
