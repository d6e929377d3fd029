/** ApiVersions: what is listed, and how a question is refused that is none, as by Apache Kafka (KIP-511). */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { handlers, servedApis } from "../handlers/index.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import { connectToCluster } from "../testing/cluster-under-test.ts";
import { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded, IS_EMBEDDED } from "../testing/recorded-answers.ts";
import { versionsOf } from "../testing/samples.ts";

type Ranges = Readonly<Record<string, readonly [number, number]>>;

/** What Apache Kafka 4.3.1 lists: the least and the greatest version of each API. */
const listedByKafka: Ranges = JSON.parse(
  readFileSync(new URL("../../golden/api-versions.json", import.meta.url), "utf8"),
);
const software = { clientSoftwareName: "apache-kafka-java", clientSoftwareVersion: "4.3.1" };

answersAreRecorded(import.meta.url);

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
});
afterAll(() => client[Symbol.asyncDispose]());

/** What the cluster lists. It is asked unheard: what a cluster lists is its own affair. */
async function listed(version: number): Promise<Ranges> {
  await using unheard = await RawClient.to(process.env["KAFKA_BROKERS"]?.split(",")[0] ?? "");
  const { errorCode: code, apiKeys } = await unheard.send(apiVersions, version, software);
  expect(code).toBe(errorCode.none);
  return Object.fromEntries(
    apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]),
  );
}

test.each(versionsOf(apiVersions))("version %i lists the same as any other", async (version) => {
  expect(await listed(version)).toEqual(await listed(0));
});

test("nothing is served that Apache Kafka does not list", async () => {
  const there = IS_EMBEDDED ? listedByKafka : await listed(4);
  const strange = servedApis(handlers).filter(({ key, minVersion, maxVersion }) => {
    const [least, greatest] = there[key] ?? [0, -1];
    return minVersion < least || maxVersion > greatest;
  });
  expect(strange).toEqual([]);
});

describe.each([3, 4])("version %i", (version) => {
  test.each([
    ["no name", { clientSoftwareName: "" }],
    ["no version", { clientSoftwareVersion: "" }],
    ["a blank in its name", { clientSoftwareName: "my client" }],
    ["a name that begins with a dash", { clientSoftwareName: "-client" }],
    ["an underscore in its version", { clientSoftwareVersion: "1_2" }],
  ])("refuses a client with %s, and lists nothing", async (_what, change) => {
    const answer = await client.send(apiVersions, version, { ...software, ...change });
    expect(answer).toMatchObject({ errorCode: errorCode.invalidRequest, apiKeys: [] });
  });
});

test.each([
  ["5, as Java asks where it may", 5],
  ["99", 99],
  ["-1", -1],
])("version %s is answered in version 0: only in which versions to ask again", async (_what, version) => {
  const request = Buffer.from("0000001300120000000000070003726177000201780231ff00", "hex");
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(version, 6);
  const answer = client.next();
  client.write(request);
  // Correlation id 7, error 35, one API: 18, versions 0 to 4.
  expect((await answer).toString("hex")).toBe("00000007002300000001001200000004");
  // And the connection stays open.
  expect((await client.send(apiVersions, 3, { ...software, clientSoftwareName: "" })).errorCode).toBe(42);
});
