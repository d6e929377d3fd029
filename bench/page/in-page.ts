/// <reference lib="dom" />
/** Run in the page, by its own clock; what they return is data. Each stands alone: a browser gets its text. */

interface Account {
  series(): { timeMs: number }[];
  counters(): { received: number };
}

/** From the device's clock to the end of the frame that first shows each new reading; ms, one for each reading. */
export async function pixelLatencies(lastsMs: number): Promise<{ latenciesMs: number[]; longTasks: number }> {
  const page: Account | undefined = Reflect.get(globalThis, "__kelvin");
  if (page === undefined) return { latenciesMs: [], longTasks: 0 };
  let longTasks = 0;
  new PerformanceObserver((list) => {
    longTasks += list.getEntries().length;
  }).observe({ type: "longtask" });
  const latenciesMs: number[] = [];
  const afterPaint = new MessageChannel();
  let fresh: number[] = [];
  afterPaint.port1.onmessage = () => {
    const nowMs = performance.timeOrigin + performance.now();
    for (const timeMs of fresh) latenciesMs.push(nowMs - timeMs);
    fresh = [];
  };
  const endMs = performance.now() + lastsMs;
  let received = page.counters().received;
  await new Promise<void>((resolve) => {
    // The page draws what came before a frame within this frame: a message sent in it arrives once it is painted.
    const frame = () => {
      const now = page.counters().received;
      if (now > received) {
        fresh.push(
          ...page
            .series()
            .slice(received - now)
            .map(({ timeMs }) => timeMs),
        );
        afterPaint.port2.postMessage(0);
      }
      received = now;
      if (performance.now() < endMs) requestAnimationFrame(frame);
      else resolve();
    };
    requestAnimationFrame(frame);
  });
  return { latenciesMs, longTasks };
}

/**
 * Set up before the page's own script: milliseconds from the navigation to the painted chart, in `chartPaintedMs`.
 * A change of the DOM is told at the end of the callback that makes it; a message sent then arrives once its frame is
 * painted.
 */
export function watchFirstChart(wanted: number): void {
  const paint = new MessageChannel();
  paint.port1.onmessage = () => Reflect.set(globalThis, "chartPaintedMs", performance.now());
  const observer = new MutationObserver(() => {
    const page: Account | undefined = Reflect.get(globalThis, "__kelvin");
    const isDrawn = document.querySelector("[data-testid=chart]")?.getAttribute("data-state") === "live";
    if (page === undefined || !isDrawn || page.series().length < wanted) return;
    observer.disconnect();
    paint.port2.postMessage(0);
  });
  observer.observe(document, { subtree: true, attributeFilter: ["data-state"] });
}
