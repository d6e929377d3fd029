/** What tests of the whole system share: an installation of its own for each, and a judge by brute force. */
export { Balancer } from "./balancer.ts";
export {
  ALERT_COUNT,
  AVERAGE_TEMPERATURE,
  alertsOf,
  expectedKpis,
  kpiTable,
  readingsOf,
  type TimedValue,
} from "./brute-force.ts";
export { DASHBOARD, installation, PROCESSOR, PRODUCER } from "./installation.ts";
