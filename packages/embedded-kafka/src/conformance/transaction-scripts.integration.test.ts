/** Random transactional requests are answered as Apache Kafka answered them: golden/scripts/main.ts. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { connectToCluster } from "../testing/cluster-under-test.ts";
import { answersTo, transactionScript } from "../testing/transaction-script.ts";

const recorded: Record<string, string[]> = JSON.parse(
  readFileSync(new URL("../../golden/scripts/transactions.json", import.meta.url), "utf8"),
);

test.each(Object.entries(recorded))("script %s", async (seed, answers) => {
  await using client = await connectToCluster("script");
  expect(await answersTo(client, transactionScript(Number(seed), answers.length))).toEqual(answers);
});
