/** For tests of pipelines: no broker, no real time. `app.testDriver()` makes one. */
export { DriverError } from "./errors.ts";
export { TestDriver, type TestDriverOptions, type WrittenRecord } from "./runtime/test-driver.ts";
