import { describe, expect, test } from "vitest";
import {
  type Alert,
  alertTopic,
  type Kpi,
  kpiTopic,
  renamed,
  type SensorReading,
  sensorTopic,
} from "./index.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const reading: SensorReading = {
  timestamp: "2026-01-02T03:04:05.678Z",
  device_id: "machine-01",
  temperature: 21.5,
};

describe("sensor", () => {
  test("a reading survives the way through bytes", () => {
    expect(sensorTopic.decode(sensorTopic.encode(reading))).toEqual({ ok: true, value: reading });
  });

  test("what the tutorial's Python producer sends is a reading", () => {
    const sent = `{"timestamp": "2026-01-02T03:04:05.678901", "device_id": "machine-01", "temperature": 36.9}`;
    const decoded = sensorTopic.decode(bytes(sent));
    expect(decoded).toEqual({
      ok: true,
      value: { timestamp: "2026-01-02T03:04:05.678901", device_id: "machine-01", temperature: 36.9 },
    });
  });

  test("a timestamp with an offset is the event time; without one the record's timestamp is", () => {
    const at = (timestamp: string) => sensorTopic.eventTimeMs({ ...reading, timestamp }, 42);
    expect(at("1970-01-01T00:00:01Z")).toBe(1000);
    expect(at("1970-01-01T02:00:01+02:00")).toBe(1000);
    expect(at("1970-01-01T00:00:01.5+00:00")).toBe(1500);
    expect(at("1970-01-01T00:00:01")).toBe(42);
    expect(at("1970-01-01T00:00:01.123456")).toBe(42);
  });

  test("fields that a newer producer adds are dropped", () => {
    expect(sensorTopic.decode(bytes(JSON.stringify({ ...reading, firmware: "2.1" })))).toEqual({
      ok: true,
      value: reading,
    });
  });

  test.each([
    ["no value", null, /empty/],
    ["an empty value", bytes(""), /empty/],
    ["not JSON", bytes("hello"), /not JSON/],
    ["not UTF-8", new Uint8Array([0x7b, 0xff, 0xfe]), /not JSON/],
    [
      "NaN, as Python's json writes it",
      bytes(`{"timestamp":"2026-01-02T03:04:05Z","device_id":"a","temperature":NaN}`),
      /not JSON/,
    ],
    [
      "a number beyond a double",
      bytes(`{"timestamp":"2026-01-02T03:04:05Z","device_id":"a","temperature":1e999}`),
      /^temperature: /,
    ],
    ["a list", bytes("[]"), /expected object/],
    ["a missing field", bytes(`{"timestamp":"2026-01-02T03:04:05Z","device_id":"a"}`), /^temperature: /],
    [
      "a wrong type",
      bytes(`{"timestamp":"2026-01-02T03:04:05Z","device_id":"a","temperature":"21"}`),
      /^temperature: /,
    ],
    [
      "less than absolute zero",
      bytes(JSON.stringify({ ...reading, temperature: -273.16 })),
      /^temperature: /,
    ],
    [
      "what would overflow in Fahrenheit",
      bytes(JSON.stringify({ ...reading, temperature: 1.7e308 })),
      /^temperature: /,
    ],
    [
      "an empty device",
      bytes(`{"timestamp":"2026-01-02T03:04:05Z","device_id":"","temperature":1}`),
      /^device_id: /,
    ],
    [
      "a device of 65 characters",
      bytes(JSON.stringify({ ...reading, device_id: "d".repeat(65) })),
      /^device_id: /,
    ],
    [
      "a day that is not",
      bytes(JSON.stringify({ ...reading, timestamp: "2026-02-30T00:00:00Z" })),
      /^timestamp: /,
    ],
    ["a date alone", bytes(JSON.stringify({ ...reading, timestamp: "2026-02-03" })), /^timestamp: /],
  ])("%s is refused with its reason", (_name, value, reason) => {
    const decoded = sensorTopic.decode(value);
    expect(decoded.ok).toBe(false);
    if (!decoded.ok) expect(decoded.problems.join("; ")).toMatch(reason);
  });

  test("every problem of a reading is told, not the first alone", () => {
    const decoded = sensorTopic.decode(bytes("{}"));
    expect(decoded.ok ? [] : decoded.problems.map((problem) => problem.split(":")[0])).toEqual([
      "timestamp",
      "device_id",
      "temperature",
    ]);
  });
});

describe("alert", () => {
  const alert: Alert = {
    celsius: 36.9,
    fahrenheit: 98.42,
    kelvin: 310.05,
    device_id: "machine-01",
    timestamp: reading.timestamp,
  };

  test("has exactly the tutorial's five fields", () => {
    expect(JSON.parse(new TextDecoder().decode(alertTopic.encode(alert)))).toEqual(alert);
    expect(Object.keys(alert)).toEqual(["celsius", "fahrenheit", "kelvin", "device_id", "timestamp"]);
  });

  test("is timed and keyed by its reading", () => {
    expect(alertTopic.eventTimeMs(alert, 0)).toBe(Date.parse(reading.timestamp));
    expect(alertTopic.key(alert)).toBe("machine-01");
  });
});

describe("kpi", () => {
  const window = {
    device_id: "machine-01",
    window_seconds: 5,
    window_start: "2026-01-02T03:04:00.000Z",
    window_end: "2026-01-02T03:04:05.000Z",
  };
  const decode = (value: unknown) => kpiTopic.decode(bytes(JSON.stringify(value)));

  test("a count, and an average that may have no data", () => {
    const values: Kpi[] = [
      { name: "alert_count", value: 2, unit: "alerts", ...window },
      { name: "average_temperature", value: 24.1, unit: "celsius", ...window },
      { name: "average_temperature", value: null, unit: "celsius", ...window },
    ];
    for (const value of values) expect(kpiTopic.decode(kpiTopic.encode(value))).toEqual({ ok: true, value });
  });

  test("is timed by the end of its window", () => {
    const kpi: Kpi = { name: "alert_count", value: 2, unit: "alerts", ...window };
    expect(kpiTopic.eventTimeMs(kpi, 0)).toBe(Date.parse(window.window_end));
  });

  test.each([
    ["half an alert", { name: "alert_count", value: 1.5, unit: "alerts", ...window }],
    ["a count of nothing", { name: "alert_count", value: null, unit: "alerts", ...window }],
    ["a unit of the other KPI", { name: "alert_count", value: 1, unit: "celsius", ...window }],
    ["an unknown name", { name: "humidity", value: 1, unit: "alerts", ...window }],
  ])("%s is refused", (_name, value) => {
    expect(decode(value).ok).toBe(false);
  });
});

test("a topic under another name is the same topic", () => {
  const other = renamed(sensorTopic, "plant-7.sensor");
  expect(other.name).toBe("plant-7.sensor");
  expect(other.decode(sensorTopic.encode(reading))).toEqual({ ok: true, value: reading });
  expect(sensorTopic.name).toBe("sensor");
});
