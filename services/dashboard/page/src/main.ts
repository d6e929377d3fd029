/** Starts the page: one store, filled by the connection; views that only draw, at most once a frame. */
import { openingOf, openingPath } from "@kelvin/schema/live";
import { type Choices, choicesFrom, queryOf } from "./address.ts";
import { ServerClock } from "./clock.ts";
import { Connection } from "./connection.ts";
import { hooksOf } from "./hooks.ts";
import { Painter } from "./painter.ts";
import { Screen } from "./screen.ts";
import { Store } from "./store.ts";

/** So often the axis moves on when nothing comes in; slower for those who want little motion. */
const MOVE_EVERY_MS = 250;
const MOVE_EVERY_MS_REDUCED = 1_000;
const CHECK_EVERY_MS = 1_000;
/** The page as it was built already says that it connects: so long nothing is lost by drawing nothing. */
const OPENING_WAIT_MS = 500;
const RELOADED = "kelvin-reloaded-at";
const RELOAD_AT_MOST_EVERY_MS = 60_000;

const clock = new ServerClock(() => performance.timeOrigin + performance.now());
const first = choicesFrom(location.search);
const store = new Store(first.device, clock.nowMs(), first.spanMs);
const screen = new Screen(document, store, () => clock.nowMs(), first, {
  onDevice: (device) => connection.watch(device),
  onChoices: remember,
  onDirty: () => painter.ask(),
});
const painter = new Painter(
  () => screen.draw(),
  () => screen.drawTab(),
  motion(),
);
const connection = new Connection({
  store,
  clock,
  path: new URL("socket.io", document.baseURI).pathname,
  onOutdated,
});

store.onChange(() => painter.ask());
setInterval(() => connection.check(), CHECK_EVERY_MS);
addEventListener("popstate", () => {
  const choices = choicesFrom(location.search);
  if (choices.device !== undefined && choices.device !== store.picked) connection.watch(choices.device);
  if (choices.spanMs !== store.spanMs) connection.stretch(choices.spanMs);
  screen.show(choices);
});
window.__kelvin = hooksOf(
  store,
  connection,
  () => clock.nowMs(),
  () => screen.choices,
  () => painter.draws,
);
void opening().then((told) => {
  connection.begin(told);
  painter.start();
});

/** What the server tells first: it is on its way since the page's first bytes. undefined: the socket will tell. */
async function opening(): Promise<unknown> {
  try {
    const answer = await fetch(new URL(openingPath(openingOf(location.search)), document.baseURI), {
      signal: AbortSignal.timeout(OPENING_WAIT_MS),
    });
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}

/** A device gets an entry in the history, so that "back" returns to the one before; the rest does not. */
function remember(choices: Choices, before: Choices): void {
  if (choices.spanMs !== before.spanMs) connection.stretch(choices.spanMs);
  const address = (of: Choices) => `${location.pathname}${queryOf(of)}`;
  if (choices.device === before.device) {
    history.replaceState(null, "", address(choices));
    return;
  }
  // The one before may have been the server's choice: without its name "back" would lead to no device.
  const left = before.device ?? store.watched?.device;
  if (left !== before.device) history.replaceState(null, "", address({ ...before, device: left }));
  history.pushState(null, "", address(choices));
}

function motion(): number {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? MOVE_EVERY_MS_REDUCED : MOVE_EVERY_MS;
}

/** The server was renewed while this page was open: the new page is one reload away. Never in a loop. */
function onOutdated(): void {
  const reloadedMs = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - reloadedMs < RELOAD_AT_MOST_EVERY_MS) {
    store.isOutdated();
    return;
  }
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
}
