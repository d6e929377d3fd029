/** What the address holds, so that a view can be shared: `?device=machine-01&span=900&unit=kelvin&theme=dark`. */
import { openingOf } from "@kelvin/schema/live";
import { UNITS, type Unit } from "./format.ts";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export interface Choices {
  /** Undefined: the page chooses. */
  readonly device: string | undefined;
  /** The length of the chart; undefined: the server's own. */
  readonly spanMs: number | undefined;
  readonly unit: Unit;
  readonly theme: Theme;
}

/** Reads the choices from an address's query; anything unknown counts as not said. */
export function choicesFrom(query: string): Choices {
  const said = new URLSearchParams(query);
  return {
    ...openingOf(query),
    unit: UNITS.find((unit) => unit === said.get("unit")) ?? "celsius",
    theme: THEMES.find((theme) => theme === said.get("theme")) ?? "auto",
  };
}

/** The query for the choices: only what differs from the defaults, "" when nothing does. */
export function queryOf(choices: Choices): string {
  const said = new URLSearchParams();
  if (choices.device !== undefined) said.set("device", choices.device);
  if (choices.spanMs !== undefined) said.set("span", String(choices.spanMs / 1_000));
  if (choices.unit !== "celsius") said.set("unit", choices.unit);
  if (choices.theme !== "auto") said.set("theme", choices.theme);
  const query = said.toString();
  return query === "" ? "" : `?${query}`;
}
