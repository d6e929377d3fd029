import { expect, test } from "vitest";
import { commandsOf } from "./commands.ts";
import { Settings } from "./config.ts";

const local = { brokers: ["localhost:9092"] };

test("with the defaults nothing but a free port is said", () => {
  expect(commandsOf(Settings.parse({}), local)).toEqual({
    producer: "npm run producer -- PORT=0",
    processor: "npm run stream-processor -- PORT=0",
    areWhole: true,
  });
});

test("what differs here from the defaults goes along, each service's own", () => {
  const settings = Settings.parse({
    SENSOR_TOPIC: "plant.sensor",
    GROUP_PREFIX: "plant-2",
    ALERT_ABOVE_KELVIN: "312",
  });
  const kafka = { brokers: ["10.0.0.1:9092", "[::1]:9093"] };
  expect(commandsOf(settings, kafka)).toEqual({
    producer: "npm run producer -- PORT=0 KAFKA_BROKERS=10.0.0.1:9092,[::1]:9093 SENSOR_TOPIC=plant.sensor",
    processor:
      "npm run stream-processor -- PORT=0 KAFKA_BROKERS=10.0.0.1:9092,[::1]:9093 SENSOR_TOPIC=plant.sensor " +
      "GROUP_PREFIX=plant-2 ALERT_ABOVE_KELVIN=312",
    areWhole: true,
  });
});

test("no secret is told, nor what a shell would read otherwise: the command is then not whole", () => {
  const sasl = { mechanism: "plain", username: "u", password: "secret" } as const;
  const secured = commandsOf(Settings.parse({}), { ...local, sasl });
  expect(JSON.stringify(secured)).not.toContain("secret");
  expect(secured.areWhole).toBe(false);
  const odd = commandsOf(Settings.parse({ GROUP_PREFIX: "$(rm -rf .)" }), local);
  expect(odd).toMatchObject({ processor: "npm run stream-processor -- PORT=0", areWhole: false });
});

test("an installation that starts its services otherwise says how", () => {
  const settings = Settings.parse({
    PRODUCER_COMMAND: "docker compose up -d producer",
    PROCESSOR_COMMAND: "docker compose up -d stream-processor",
  });
  expect(commandsOf(settings, { brokers: ["kafka:19092"] })).toEqual({
    producer: "docker compose up -d producer",
    processor: "docker compose up -d stream-processor",
    areWhole: true,
  });
});
