/** The broker under test, in a process of its own; it answers every message with its processor time so far. */
import { startBroker } from "@kelvin/embedded-kafka";

const broker = await startBroker();
process.once("disconnect", () => void broker.stop());
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1_000 });
});
process.send?.({ broker: broker.brokers[0] });
