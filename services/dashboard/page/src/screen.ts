/** The whole page: what each view is given to draw, and what the viewer's hands do. */
import type { Choices } from "./address.ts";
import { alarmKnowledge } from "./alarms.ts";
import { Announcer, episodeLines, noAlertsText } from "./alerts.ts";
import { type Moment, momentOf } from "./moment.ts";
import { readingPicture } from "./reading.ts";
import { headlineOf, noticesOf, pausedNotice, toldOf } from "./states.ts";
import type { Store } from "./store.ts";
import { alertsView } from "./views/alerts.ts";
import { barView } from "./views/bar.ts";
import { chartView } from "./views/chart.ts";
import { devicesView } from "./views/devices.ts";
import { need, setAttribute, setText } from "./views/dom.ts";
import { noticesView } from "./views/notices.ts";
import { readingView, tilesView } from "./views/reading.ts";
import { spanView } from "./views/span.ts";
import { tableView } from "./views/table.ts";
import { titleView } from "./views/title.ts";

export interface ScreenActions {
  /** The viewer wants to see another device. */
  onDevice(device: string): void;
  onChoices(choices: Choices, before: Choices): void;
  /** Something in the views changed by itself (a cursor, a size): draw soon. */
  onDirty(): void;
}

/** The picture at which the viewer stopped it. */
interface Pause {
  readonly moment: Moment;
  /** How many readings had come by then. */
  readonly received: number;
}

export class Screen {
  #choices: Choices;
  #pause: Pause | undefined;
  readonly #store: Store;
  readonly #nowMs: () => number;
  readonly #actions: ScreenActions;
  readonly #views: ReturnType<typeof viewsOf>;
  readonly #announcer = new Announcer();
  /** What the slow lists were last drawn for. */
  #listsDrawn = { episodes: "", devices: "" };

  constructor(page: Document, store: Store, nowMs: () => number, choices: Choices, actions: ScreenActions) {
    this.#store = store;
    this.#nowMs = nowMs;
    this.#choices = choices;
    this.#actions = actions;
    this.#applyTheme();
    this.#views = viewsOf(page, {
      onDevice: (device) => {
        this.#actions.onDevice(device);
        this.#choose({ ...this.#choices, device });
      },
      onSpan: (chosenMs) => {
        const spanMs = chosenMs === this.#store.welcome?.windowMs ? undefined : chosenMs;
        this.#choose({ ...this.#choices, spanMs });
      },
      onUnit: (unit) => this.#choose({ ...this.#choices, unit }),
      onTheme: (theme) => this.#choose({ ...this.#choices, theme }),
      onPause: () => this.#togglePause(),
      onDirty: actions.onDirty,
    });
    for (const colours of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(colours).addEventListener("change", () => this.#views.chart.recolour());
    }
  }

  get choices(): Choices {
    return this.#choices;
  }

  /** Shows things as the address says them: after "back" and "forward". */
  show(choices: Choices): void {
    const { device, spanMs } = this.#choices;
    if (choices.device !== device || choices.spanMs !== spanMs) this.#pause = undefined;
    const isOtherTheme = choices.theme !== this.#choices.theme;
    this.#choices = choices;
    if (isOtherTheme) {
      this.#applyTheme();
      this.#views.chart.recolour();
    }
    this.#actions.onDirty();
  }

  #choose(choices: Choices): void {
    const before = this.#choices;
    this.show(choices);
    this.#actions.onChoices(choices, before);
  }

  draw(): void {
    const nowMs = this.#nowMs();
    const store = this.#store;
    const { unit, theme } = this.#choices;
    const present = momentOf(store, nowMs);
    const moment = this.#pause?.moment ?? present;
    const waiting = (store.watched?.received ?? 0) - (this.#pause?.received ?? 0);
    const limitKelvin = store.welcome?.limitKelvin;
    const views = this.#views;

    const { flow, told, headline, isSure, inAlarm } = this.#tidings(present, waiting, nowMs);
    views.notices(told);
    views.bar(
      store,
      { flow, headline, isSure, unit, theme, paused: this.#pause !== undefined, waiting },
      nowMs,
    );
    setAttribute(views.main, "data-flow", flow.state);
    views.title(headline, inAlarm);
    views.reading(readingPicture(store, moment, unit));
    views.tiles(store, moment, unit, nowMs);
    views.table(moment, unit, limitKelvin);
    views.span(store.welcome?.spansMs, moment?.windowMs ?? store.windowMs, unit);
    this.#drawLists(nowMs, present?.frozen === undefined ? undefined : present.endMs);
    // Last: it asks for its size, and what is changed after that would be laid out once more.
    views.chart.draw(moment, unit, limitKelvin);
    const news = this.#announcer.news(store, unit);
    if (news !== "") views.announce(news);
  }

  /** What a browser shows of the page while its viewer looks at another. */
  drawTab(): void {
    const nowMs = this.#nowMs();
    const { headline, inAlarm } = this.#tidings(momentOf(this.#store, nowMs), 0, nowMs);
    this.#views.title(headline, inAlarm);
  }

  /** What there is to tell: all of it, the worst first, and in a word. */
  #tidings(present: Moment | undefined, waiting: number, nowMs: number) {
    const store = this.#store;
    const notices = noticesOf(store, present, nowMs);
    const [flow] = notices;
    if (this.#pause !== undefined) notices.push(pausedNotice(this.#pause.moment.endMs, waiting));
    const told = toldOf(notices);
    const { isSure } = alarmKnowledge(store);
    const inAlarm = isSure ? (store.fleet?.inAlarm ?? 0) : 0;
    return { flow, told, headline: headlineOf(told[0], inAlarm), isSure, inAlarm };
  }

  /** The lists tell whole seconds: they are drawn when something came in about them, or a second is over. */
  #drawLists(nowMs: number, standsAtMs: number | undefined): void {
    const store = this.#store;
    const { unit } = this.#choices;
    const second = Math.floor(nowMs / 1000);
    const episodes = `${second} ${unit} ${store.episodesRevision} ${store.link.state} ${store.health?.nowMs}`;
    if (episodes !== this.#listsDrawn.episodes) {
      this.#views.alerts(episodeLines(store, unit, standsAtMs ?? nowMs), noAlertsText(store));
    }
    const shown = store.picked ?? store.watched?.device;
    const { isSure } = alarmKnowledge(store);
    const devices = `${unit} ${store.fleet?.nowMs} ${shown} ${store.trends.revision} ${isSure}`;
    const row = {
      shown,
      unit,
      nowMs: store.fleet?.nowMs ?? nowMs,
      limitKelvin: store.welcome?.limitKelvin,
      trends: store.trends,
      isSure,
    };
    if (devices !== this.#listsDrawn.devices && store.fleet !== undefined) {
      this.#views.devices.draw({ ...row, total: store.fleet.total, devices: store.devices });
    }
    const { shownDevice } = store;
    if (shownDevice !== undefined) this.#views.devices.drawRow(shownDevice, row);
    this.#listsDrawn = { episodes, devices };
  }

  #togglePause(): void {
    const moment = momentOf(this.#store, this.#nowMs());
    const received = this.#store.watched?.received ?? 0;
    this.#pause =
      this.#pause === undefined && moment !== undefined
        ? { moment: { ...moment, frozen: "paused" }, received }
        : undefined;
    this.#actions.onDirty();
  }

  #applyTheme(): void {
    setAttribute(document.documentElement, "data-theme", this.#choices.theme);
  }
}

type Hands = Parameters<typeof barView>[1] & {
  onDevice(device: string): void;
  onSpan(spanMs: number): void;
  onDirty(): void;
};

function viewsOf(page: Document, hands: Hands) {
  const announcer = need(page, "[data-testid=announcer]", HTMLElement);
  return {
    main: need(page, "main", HTMLElement),
    notices: noticesView(page),
    bar: barView(page, hands),
    title: titleView(page),
    reading: readingView(page),
    tiles: tilesView(page),
    chart: chartView(page, hands.onDirty),
    span: spanView(page, hands.onSpan),
    table: tableView(page),
    alerts: alertsView(page, hands.onDevice),
    devices: devicesView(page, hands.onDevice),
    announce: (news: string) => setText(announcer, news),
  };
}
