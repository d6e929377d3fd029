import { describe, expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { readingTopic } from "../../test-support/readings.ts";
import { createStreamApp, liveTable } from "../index.ts";

/** A terminal as far as the table uses one: text, line ends, "up n lines", "clear from here". */
class Terminal {
  readonly isTTY = true;
  readonly columns = 60;
  readonly rows: number;
  lines = [""];
  writes = 0;

  constructor(rows = 24) {
    this.rows = rows;
  }

  write(text: string): void {
    this.writes++;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what a terminal is told with
    const back = /^\x1b\[(\d+)F\x1b\[J/.exec(text);
    if (back !== null) {
      const up = Number(back[1]);
      expect(up).toBeLessThan(this.rows);
      this.lines = [...this.lines.slice(0, this.lines.length - 1 - up), ""];
    }
    const [first = "", ...others] = text.slice(back?.[0].length ?? 0).split("\n");
    this.lines = [...this.lines.slice(0, -1), (this.lines.at(-1) ?? "") + first, ...others];
  }
}

/** Timers that run when they are told to. */
function handClock() {
  const planned: (() => void)[] = [];
  return {
    now: () => 0,
    monotonic: () => 0,
    setTimeout: (run: () => void) => {
      planned.push(run);
      return () => undefined;
    },
    fire: () => {
      for (const run of planned.splice(0)) run();
    },
  };
}

const at = (key: string) => ({
  topic: "t",
  partition: 0,
  offset: 0,
  key,
  timestampMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  headers: {},
});

describe("the live table", () => {
  test("shows the newest values of each print, redrawn in its place", () => {
    const terminal = new Terminal();
    const clock = handClock();
    const print = liveTable(terminal, { size: 2, clock });
    terminal.lines = ["$ npm start", ""];
    for (const [key, mean] of [
      ["a", 20.5],
      ["bb", 7],
      ["a", 21.25],
    ] as const) {
      print?.("averages", { key, value: { mean, last: null } }, at(key));
      clock.fire();
    }
    print?.("alerts", "hot", at("a"));
    clock.fire();
    expect(terminal.lines).toEqual([
      "$ npm start",
      "averages",
      "(key)  (time)        key  value.mean  value.last",
      "bb     03:04:05.678  bb            7  null",
      "a      03:04:05.678  a         21.25  null",
      "alerts",
      "(key)  (time)        value",
      "a      03:04:05.678  hot",
      "",
    ]);
  });

  test("many values are one drawing; what is wider or longer than the terminal is cut", () => {
    const terminal = new Terminal(6);
    const clock = handClock();
    const print = liveTable(terminal, { clock });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 100; i++) print?.("all", { text: "x".repeat(80), i }, at("k"));
      clock.fire();
    }
    expect(terminal.writes).toBe(3);
    expect(terminal.lines).toHaveLength(6);
    expect(terminal.lines.every((line) => line.length <= 60)).toBe(true);
    expect(terminal.lines[0]).toMatch(/^k .*x…$/);
  });

  test("a device's text does not steer the terminal", () => {
    const terminal = new Terminal();
    const clock = handClock();
    liveTable(terminal, { clock })?.("l\x1b[2J", { "f\n": "\x1b]0;title\x07", big: 1n }, at("\x1b[31m"));
    clock.fire();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may come through
    expect(terminal.lines.join("")).not.toMatch(/[\x00-\x1f\x7f]/);
  });

  test("is none where the output is no terminal: the app then writes log lines", () => {
    const written: string[] = [];
    const print = liveTable({ write: (text) => void written.push(text) });
    expect(print).toBeUndefined();
    const app = createStreamApp({ name: "app", kafka: { brokers: ["nobody:1"] }, log: keptLog(), print });
    app.dataframe(readingTopic("in")).print();
    expect(written).toEqual([]);
  });
});
