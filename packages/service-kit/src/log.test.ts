import { describe, expect, test } from "vitest";
import { createLog, type Log } from "./log.ts";

function written(format: "json" | "pretty", say: (log: Log) => void, hideName = false): string {
  const lines: string[] = [];
  say(createLog({ name: "oven", level: "info", format, hideName, write: (line) => lines.push(line) }));
  return lines.join("");
}

describe("the log for people", () => {
  test("is a line of time, level, service, message and fields", () => {
    const line = written("pretty", (log) => log.warn({ topic: "sensor", offset: 7 }, "record skipped"));
    expect(line).toMatch(
      /^\[\d\d:\d\d:\d\d\.\d{3}\] WARN \(oven\): record skipped \{"topic":"sensor","offset":7\}\n$/,
    );
  });

  test("leaves the name out where it stands in front of the line already, and the braces where there is no field", () => {
    const line = written("pretty", (log) => log.info({}, "stopped"), true);
    expect(line).toMatch(/^\[[\d:.]+\] INFO: stopped\n$/);
  });

  test("drops no field, whatever it is called", () => {
    const fields = {
      timestamp: "2026-11-28T08:00:00Z",
      name: "alert_count",
      pid: 1,
      hostname: "here",
      caller: "me",
    };
    const line = written("pretty", (log) => log.error(fields, "too hot"));
    expect(line).toContain(JSON.stringify(fields));
  });

  test("shows an error with its stack and its cause, below the line", () => {
    const error = new TypeError("no bread", { cause: new RangeError("no flour") });
    const text = written("pretty", (log) => log.error({ err: error, code: "OVEN" }, "can't bake"));
    const [head, ...stack] = text.split("\n");
    expect(head).toMatch(/ERROR \(oven\): can't bake \{"code":"OVEN"\}$/);
    expect(stack[0]).toBe("    TypeError: no bread");
    expect(stack.join("\n")).toContain("RangeError: no flour");
    expect(stack.slice(0, -1).every((line) => line.startsWith("    "))).toBe(true);
  });

  test("breaks no line: what comes from outside stays within it", () => {
    const line = written("pretty", (log) => log.warn({ reason: "a\nb\u001b[31m" }, "record skipped"));
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(line).not.toContain("\u001b");
  });
});

test.each(["json", "pretty"] as const)("secrets are in no log (%s)", (format) => {
  const text = written(format, (log) =>
    log.info(
      { KAFKA_SASL_PASSWORD: "hunter2", sasl: { password: "hunter2" }, a: { b: { token: "hunter2" } } },
      "x",
    ),
  );
  expect(text).not.toContain("hunter2");
  expect(text).toContain("(secret)");
});
