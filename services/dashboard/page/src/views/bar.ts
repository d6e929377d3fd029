/** The bar on top: the state in one word, a few facts, the viewer's choices. */
import { THEMES, type Theme } from "../address.ts";
import { clock, count, duration, NONE, plural, UNITS, type Unit } from "../format.ts";
import type { Notice } from "../states.ts";
import type { Store } from "../store.ts";
import { need, setAttribute, setIcon, setState, setText } from "./dom.ts";

export interface BarPicture {
  readonly notice: Notice;
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

const THEME_WORDS: Record<Theme, string> = { auto: "as the system", light: "light", dark: "dark" };
/** Slower than this is told in seconds. */
const MILLISECONDS_UP_TO = 1_000;

export function barView(page: ParentNode, actions: BarActions) {
  const status = need(page, ".status", HTMLElement);
  const word = need(status, ".status-word", HTMLElement);
  const icon = need(status, ".icon", SVGElement);
  const lag = need(page, "[data-testid=lag]", HTMLElement);
  const devices = need(page, "[data-testid=device-count]", HTMLElement);
  const alarms = need(page, "[data-testid=alarm-count]", HTMLElement);
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
    setState(status, picture.notice.state);
    setText(word, picture.notice.word);
    setIcon(icon, picture.notice.state);
    drawFacts(store, picture, nowMs);
    for (const [i, input] of units.entries()) input.checked = UNITS[i] === picture.unit;
    shownTheme = picture.theme;
    setAttribute(theme, "aria-label", `Theme: ${THEME_WORDS[shownTheme]}`);
    setAttribute(theme, "title", `Theme: ${THEME_WORDS[shownTheme]}`);
    setIcon(need(theme, ".icon", SVGElement), shownTheme);
    drawPause(picture);
  };

  function drawFacts(store: Store, { notice }: BarPicture, nowMs: number): void {
    const flowing = notice.state === "live";
    const { fleet } = store;
    setText(lag, flowing && store.lagMs !== undefined ? lagText(store.lagMs) : NONE);
    setText(devices, fleet === undefined ? NONE : count(fleet.total));
    const sure = store.health?.pipelines.find(({ name }) => name === "alert")?.state === "up-to-date";
    const connected = notice.state !== "connecting" && notice.state !== "kafka-down";
    const inAlarm = fleet?.inAlarm ?? 0;
    setText(alarms, fleet === undefined ? NONE : sure && connected ? count(inAlarm) : "unknown");
    setState(need(page, ".fact-alarm", HTMLElement), inAlarm > 0 && sure && connected ? "high" : "ok");
    setText(time, notice.state === "connecting" ? NONE : clock(nowMs));
  }

  function drawPause({ paused, waiting }: BarPicture): void {
    setAttribute(pause, "aria-pressed", String(paused));
    setText(need(pause, ".button-word", HTMLElement), paused ? `Resume, ${count(waiting)} new` : "Pause");
    setAttribute(
      pause,
      "title",
      paused ? `Go on; ${plural(waiting, "reading")} came meanwhile` : "Stand still",
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
