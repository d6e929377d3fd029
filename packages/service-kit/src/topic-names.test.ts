import { describe, expect, test } from "vitest";
import * as z from "zod";
import { SettingsError } from "./errors.ts";
import { type Environment, readSettings } from "./settings.ts";
import { distinctTopics, topicName } from "./topic-names.ts";

const NAMES = { SENSOR_TOPIC: "sensor", ALERT_TOPIC: "alert" };
const Settings = z.intersection(
  z.object({ SENSOR_TOPIC: topicName(NAMES.SENSOR_TOPIC), ALERT_TOPIC: topicName(NAMES.ALERT_TOPIC) }),
  distinctTopics(NAMES),
);

function problemsOf(environment: Environment): readonly string[] {
  try {
    readSettings(environment, z.object({}), Settings);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

test("topics have their names by default, and others where they are set", () => {
  expect(readSettings({}, z.object({}), Settings)).toEqual(NAMES);
  expect(readSettings({ ALERT_TOPIC: "Team_1.alert-2" }, z.object({}), Settings)).toEqual({
    SENSOR_TOPIC: "sensor",
    ALERT_TOPIC: "Team_1.alert-2",
  });
});

test.each(["a b", "ä", ".", "..", "a/b", "x".repeat(246)])(
  "%j is refused: Kafka takes no such name",
  (name) => {
    expect(problemsOf({ SENSOR_TOPIC: name })).toEqual([
      expect.stringMatching(/^SENSOR_TOPIC=.*is not a valid topic name/),
    ]);
  },
);

describe("two topics", () => {
  test.each([
    [{ ALERT_TOPIC: "sensor" }, /^ALERT_TOPIC=sensor: conflicts with the topic of SENSOR_TOPIC/],
    [{ SENSOR_TOPIC: "alert" }, /^SENSOR_TOPIC=alert: conflicts with the topic of ALERT_TOPIC/],
    [{ SENSOR_TOPIC: "a.b", ALERT_TOPIC: "a_b" }, /^ALERT_TOPIC=a_b: .* more than dots and underscores/],
    [{ ALERT_TOPIC: "sensor.dlq" }, /^ALERT_TOPIC=sensor\.dlq: .* or its dead-letter topic/],
    [{ SENSOR_TOPIC: "alert.dlq" }, /^SENSOR_TOPIC=alert\.dlq: .* or its dead-letter topic/],
  ])("must differ: %o names the one that was set", (environment, problem) => {
    expect(problemsOf(environment)).toEqual([expect.stringMatching(problem)]);
  });

  test("that are wrong and the same are told for both", () => {
    expect(problemsOf({ SENSOR_TOPIC: "a b", ALERT_TOPIC: "a b" })).toHaveLength(3);
  });
});
