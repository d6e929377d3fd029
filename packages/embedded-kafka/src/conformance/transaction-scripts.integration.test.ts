/** Random transactional requests are answered as Apache Kafka answered them: golden/scripts/main.ts. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { connectToCluster } from "../testing/cluster-under-test.ts";
import { IS_EMBEDDED } from "../testing/recorded-answers.ts";
import { answersTo, transactionScript } from "../testing/transaction-script.ts";

const recorded: Record<string, string[]> = JSON.parse(
  readFileSync(new URL("../../golden/scripts/transactions.json", import.meta.url), "utf8"),
);

/**
 * An Apache Kafka ends transactions in the background, and what it says to a fenced producer meanwhile (48 or 120) is a
 * matter of milliseconds: there a script may be asked again. The embedded broker has to answer as recorded at once.
 */
const retry = IS_EMBEDDED ? 0 : 3;

test.each(Object.entries(recorded))("script %s", { retry }, async (seed, answers) => {
  await using client = await connectToCluster("script");
  expect(await answersTo(client, transactionScript(Number(seed), answers.length))).toEqual(answers);
});
