/** What the address holds, so that a view can be shared: `?device=machine-01&unit=kelvin&theme=dark`. */
import { UNITS, type Unit } from "./format.ts";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export interface Choices {
  /** Undefined: the page chooses. */
  readonly device: string | undefined;
  readonly unit: Unit;
  readonly theme: Theme;
}

const LONGEST_DEVICE_ID = 64;

/** Reads the choices from an address's query; anything unknown counts as not said. */
export function choicesFrom(query: string): Choices {
  const said = new URLSearchParams(query);
  const device = said.get("device");
  return {
    device: device === null || device === "" || device.length > LONGEST_DEVICE_ID ? undefined : device,
    unit: UNITS.find((unit) => unit === said.get("unit")) ?? "celsius",
    theme: THEMES.find((theme) => theme === said.get("theme")) ?? "auto",
  };
}

/** The query for the choices: only what differs from the defaults, "" when nothing does. */
export function queryOf(choices: Choices): string {
  const said = new URLSearchParams();
  if (choices.device !== undefined) said.set("device", choices.device);
  if (choices.unit !== "celsius") said.set("unit", choices.unit);
  if (choices.theme !== "auto") said.set("theme", choices.theme);
  const query = said.toString();
  return query === "" ? "" : `?${query}`;
}
