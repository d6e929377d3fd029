/** Numbers, units and times as a person reads them. Widths stay the same while values change. */

export const UNITS = ["celsius", "fahrenheit", "kelvin"] as const;
export type Unit = (typeof UNITS)[number];

const SYMBOLS: Record<Unit, string> = { celsius: "°C", fahrenheit: "°F", kelvin: "K" };
/** A real minus sign is as wide as a plus sign; a hyphen is not. */
const MINUS = "−";
/** Stands where a value would stand. */
export const NONE = "–";

export function symbolOf(unit: Unit): string {
  return SYMBOLS[unit];
}

/** A temperature in °C in the unit asked for. */
export function inUnit(celsius: number, unit: Unit): number {
  switch (unit) {
    case "celsius":
      return celsius;
    case "fahrenheit":
      return celsius * 1.8 + 32;
    case "kelvin":
      return celsius + 273.15;
  }
}

/** From here on a number is told as `1.00e+7`: nobody reads more digits, and nothing has the room. */
const EXPONENT_FROM = 1e7;

/** `36.90`: the number alone, 2 decimals unless told. */
export function number(value: number, decimals = 2): string {
  if (Math.abs(value) >= EXPONENT_FROM) return value.toExponential(2).replace("-", MINUS);
  // Rounded first: -0.001 is "0.00", not "-0.00".
  const rounded = Math.abs(value) < 0.5 / 10 ** decimals ? 0 : value;
  const text = Math.abs(rounded).toFixed(decimals);
  return rounded < 0 ? MINUS + text : text;
}

/** `36.90 °C`. */
export function temperature(celsius: number, unit: Unit, decimals = 2): string {
  return `${number(inUnit(celsius, unit), decimals)} ${SYMBOLS[unit]}`;
}

/** A difference of two temperatures given in °C, in the unit asked for: no zero point to shift. */
export function difference(celsiusDifference: number, unit: Unit): number {
  return unit === "fahrenheit" ? celsiusDifference * 1.8 : celsiusDifference;
}

/** `+0.42`: a difference of two temperatures given in °C; a difference of 1 K is one of 1 °C and of 1.8 °F. */
export function change(celsiusDifference: number, unit: Unit): string {
  const text = number(difference(celsiusDifference, unit));
  return text.startsWith(MINUS) || Number(text) === 0 ? text : `+${text}`;
}

/** `12:04:31`, on the viewer's own clock. */
export function clock(timeMs: number): string {
  const time = new Date(timeMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => pad(part)).join(":");
}

/** `12:04:31.250`. */
export function clockWithMilliseconds(timeMs: number): string {
  return `${clock(timeMs)}.${String(new Date(timeMs).getMilliseconds()).padStart(3, "0")}`;
}

/** `0.4 s`, `9 s`, `2 min 05 s`, `1 h 04 min`: how long something lasts. Never negative. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const hours = Math.floor(whole / 3600);
  return `${hours} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** `45 ms`, `1.0 s`: how far apart readings are. */
export function interval(ms: number): string {
  return ms < 99.5 ? `${Math.max(1, Math.round(ms))} ms` : duration(ms);
}

/** `9 s`, `2 min 05 s`: as `duration`, in whole seconds; for what is told once a second. */
export function wholeSeconds(ms: number): string {
  const whole = Math.floor(Math.max(0, ms) / 1000);
  return whole < 10 ? `${whole} s` : duration(whole * 1000);
}

/** `9 s ago`, `74 s ago`, `12 min ago`, `30 h ago`, `5 d ago`: how old something is, in few and ever as many letters. */
export function ago(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 100) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 100) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 100 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
}

/** `100 seconds`, `15 minutes`: a length that somebody chose. */
export function lengthOf(ms: number): string {
  return ms % 60_000 === 0 ? plural(ms / 60_000, "minute") : plural(ms / 1_000, "second");
}

/** `1.0/s`, `12/min`: readings per time, in the unit in which it is at least 1. */
export function rate(perSecond: number): string {
  if (perSecond >= 99.95) return `${Math.round(perSecond)}/s`;
  if (perSecond >= 0.95) return `${perSecond.toFixed(1)}/s`;
  return `${(perSecond * 60).toFixed(perSecond * 60 >= 10 ? 0 : 1)}/min`;
}

/** `1,234`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 reading`, `7 readings`. */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

function pad(part: number): string {
  return String(part).padStart(2, "0");
}
