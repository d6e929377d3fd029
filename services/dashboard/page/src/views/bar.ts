/** The bar on top: the state in one word, a few facts, the viewer's choices. */
import { THEMES, type Theme } from "../address.ts";
import { clock, count, duration, NONE, plural, UNITS, type Unit } from "../format.ts";
import type { Headline, Notice } from "../states.ts";
import type { Store } from "../store.ts";
import { need, setAttribute, setIcon, setState, setText } from "./dom.ts";

export interface BarPicture {
  readonly flow: Notice;
  readonly headline: Headline;
  /** Whether it is known which devices are in alarm. */
  readonly isSure: boolean;
  readonly unit: Unit;
  readonly theme: Theme;
  readonly paused: boolean;
  /** Readings that came since the pause began. */
  readonly waiting: number;
}

export interface BarActions {
  onUnit(unit: Unit): void;
  onPause(): void;
  onTheme(theme: Theme): void;
}

const THEME_WORDS: Record<Theme, string> = { auto: "system", light: "light", dark: "dark" };
/** Slower than this is told in seconds. */
const MILLISECONDS_UP_TO = 1_000;

export function barView(page: ParentNode, actions: BarActions) {
  const status = need(page, ".status", HTMLElement);
  const word = need(status, ".status-word", HTMLElement);
  const icon = need(status, ".icon", SVGElement);
  const lag = need(page, "[data-testid=lag]", HTMLElement);
  const devices = need(page, "[data-testid=device-count]", HTMLElement);
  const alarms = need(page, "[data-testid=alarm-count]", HTMLElement);
  const alarmFact = need(page, ".fact-alarm", HTMLElement);
  const silents = need(page, "[data-testid=silent-count]", HTMLElement);
  const silentFact = need(page, ".fact-silent", HTMLElement);
  const time = need(page, "[data-testid=clock]", HTMLElement);
  const pause = need(page, ".pause", HTMLButtonElement);
  const theme = need(page, ".theme", HTMLButtonElement);
  const units = UNITS.map((unit) => need(page, `.units input[value="${unit}"]`, HTMLInputElement));
  let shownTheme: Theme = "auto";

  pause.addEventListener("click", () => actions.onPause());
  theme.addEventListener("click", () => actions.onTheme(following(shownTheme)));
  for (const [i, input] of units.entries()) {
    input.addEventListener("change", () => actions.onUnit(UNITS[i] ?? "celsius"));
  }

  return (store: Store, picture: BarPicture, nowMs: number): void => {
    setState(status, picture.headline.state);
    setAttribute(status, "data-tone", picture.headline.tone);
    setText(word, picture.headline.word);
    setIcon(icon, picture.headline.state);
    drawFacts(store, picture, nowMs);
    for (const [i, input] of units.entries()) input.checked = UNITS[i] === picture.unit;
    shownTheme = picture.theme;
    setAttribute(theme, "aria-label", `Theme: ${THEME_WORDS[shownTheme]}`);
    setAttribute(theme, "title", `Theme: ${THEME_WORDS[shownTheme]}`);
    setIcon(need(theme, ".icon", SVGElement), shownTheme);
    drawPause(picture);
  };

  function drawFacts(store: Store, { flow, isSure }: BarPicture, nowMs: number): void {
    const { fleet } = store;
    setText(lag, flow.state === "live" && store.lagMs !== undefined ? lagText(store.lagMs) : NONE);
    setText(devices, fleet === undefined ? NONE : count(fleet.total));
    setText(alarms, fleet === undefined ? NONE : isSure ? count(fleet.inAlarm) : "unknown");
    setState(alarmFact, fleet === undefined ? "ok" : !isSure ? "unknown" : fleet.inAlarm > 0 ? "high" : "ok");
    // Silence is heard only by who listens.
    const isHeard = flow.state !== "connecting" && flow.state !== "kafka-down";
    const silent = isHeard ? fleet?.stale : undefined;
    setText(silents, silent === undefined ? NONE : count(silent));
    setState(silentFact, (silent ?? 0) > 0 ? "stale" : "ok");
    setText(time, flow.state === "connecting" ? NONE : clock(nowMs));
  }

  function drawPause({ paused, waiting }: BarPicture): void {
    setAttribute(pause, "aria-pressed", String(paused));
    setText(need(pause, ".button-word", HTMLElement), paused ? `Resume, ${count(waiting)} new` : "Pause");
    setAttribute(
      pause,
      "title",
      paused ? `Resume; ${plural(waiting, "reading")} arrived meanwhile` : "Pause value, chart and tiles",
    );
    setIcon(need(pause, ".icon", SVGElement), paused ? "play" : "paused");
  }
}

function lagText(lagMs: number): string {
  if (lagMs < 0) return "ahead";
  return lagMs < MILLISECONDS_UP_TO ? `${Math.round(lagMs)} ms` : duration(lagMs);
}

function following(theme: Theme): Theme {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
}
