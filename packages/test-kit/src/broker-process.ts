/**
 * An embedded broker in a process of its own: in the test runner's process it would share an event loop with the
 * loading of every test file. Tells its address to its parent, and ends with it.
 */
import { startBroker } from "@kelvin/embedded-kafka";

const broker = await startBroker({ port: 0 });
process.once("disconnect", () => {
  void broker.stop().finally(() => process.exit());
});
process.send?.({ brokers: broker.brokers });
