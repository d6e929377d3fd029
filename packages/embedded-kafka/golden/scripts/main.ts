/**
 * Makes transactions.json again: an Apache Kafka's answers to random scripts of transactional requests, which the
 * conformance tests compare with the embedded broker's.
 *
 *     node packages/embedded-kafka/golden/scripts/main.ts <host:port> [number of scripts]
 *
 * With more scripts than are kept, only what differs from another broker is of interest:
 *
 *     node packages/embedded-kafka/golden/scripts/main.ts <host:port> <number> <other host:port>
 *
 * Made with Apache Kafka 4.3.1, one broker, topics of its coordinators with one copy.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RawClient } from "../../src/testing/raw-client.ts";
import { answersTo, transactionScript } from "../../src/testing/transaction-script.ts";

const KEPT = 20;
const STEPS = 80;

const [broker = "localhost:9092", count = String(KEPT), other] = process.argv.slice(2);
const seeds = Array.from({ length: Number(count) }, (_, index) => index + 1);

async function ask(address: string, seed: number): Promise<string[]> {
  await using client = await RawClient.to(address);
  return await answersTo(client, transactionScript(seed, STEPS));
}

if (other === undefined) {
  const recorded: Record<string, string[]> = {};
  for (const seed of seeds) recorded[seed] = await ask(broker, seed);
  const file = join(import.meta.dirname, "transactions.json");
  writeFileSync(file, `${JSON.stringify(recorded, null, 2)}\n`);
  console.log(`${seeds.length} scripts of ${STEPS} requests.`);
} else {
  let different = 0;
  for (const seed of seeds) {
    const [expected, got] = await Promise.all([ask(broker, seed), ask(other, seed)]);
    const at = expected.findIndex((answer, index) => answer !== got[index]);
    if (at < 0) continue;
    different += 1;
    console.log(`script ${seed}, request ${at}: ${expected[at]} and ${got[at]}`);
    console.log(JSON.stringify(transactionScript(seed, STEPS)[at]));
  }
  console.log(`${seeds.length} scripts of ${STEPS} requests, ${different} with different answers.`);
  process.exitCode = different === 0 ? 0 : 1;
}
