/** Everything the services say to each other. Runs in browsers too. */
export { Alert, alertTopic } from "./alert.ts";
export { KPIS, type KpiDescription, type KpiName, PIPELINES, type PipelineName } from "./flow.ts";
export { instantOf, utc } from "./instant.ts";
export { AlertCount, AverageTemperature, Kpi, kpiTopic } from "./kpi.ts";
export { round2 } from "./round.ts";
export { DeviceId, SensorReading, sensorTopic } from "./sensor.ts";
export { type Decoded, defineTopic, renamed, type Topic } from "./topic.ts";
