/** How far back the chart goes: the viewer's choice, and the text for it. */
import { lengthOf, symbolOf, type Unit } from "../format.ts";
import { need, setAttribute, setText } from "./dom.ts";

/** `onSpan`: the viewer wants a chart of this length in milliseconds. */
export function spanView(page: ParentNode, onSpan: (spanMs: number) => void) {
  const select = need(page, ".span", HTMLSelectElement);
  const unitText = need(page, ".chart-unit", HTMLElement);
  const surface = need(page, ".canvas", HTMLElement);
  const table = need(page, ".table-scroll", HTMLElement);
  const caption = need(table, "caption", HTMLElement);
  let offered = "";

  select.addEventListener("change", () => onSpan(Number(select.value)));

  return (spansMs: readonly number[] | undefined, windowMs: number, unit: Unit): void => {
    const lengths = spansMs ?? [windowMs];
    // Replacing the options would close an open list.
    if (lengths.join(" ") !== offered) {
      offered = lengths.join(" ");
      select.replaceChildren(...lengths.map((length) => new Option(lengthOf(length), String(length))));
    }
    if (select.value !== String(windowMs)) select.value = String(windowMs);
    setText(unitText, symbolOf(unit));
    const length = lengthOf(windowMs);
    const hint = "arrow keys move the cursor, the table below holds the numbers";
    setAttribute(surface, "aria-label", `Chart of the last ${length}; ${hint}`);
    setAttribute(table, "aria-label", `Readings of the last ${length}`);
    setText(caption, `Readings of the last ${length}, newest first`);
  };
}
