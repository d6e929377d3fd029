/** For tests of pipelines: no broker, no real time. `app.testDriver()` makes one. */
export { DriverError } from "./errors.ts";
export {
  type ReadDeadLetter,
  TestDriver,
  type TestDriverOptions,
  type WrittenRecord,
} from "./runtime/test-driver.ts";
