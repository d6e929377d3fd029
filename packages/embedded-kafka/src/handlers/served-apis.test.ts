/** Pins what is served and listed to the table of the design (section 2, stages 1 to 3), so that neither moves alone. */
import { expect, test } from "vitest";
import { handlers, servedApis } from "./index.ts";

/** Key, name, served versions, listed versions where they differ, first flexible version. */
const TABLE = `
  0 Produce                 3-11 listed 0-11 flexible 9
  1 Fetch                   4-17 flexible 12
  2 ListOffsets             1-10 flexible 6
  3 Metadata                0-13 flexible 9
  8 OffsetCommit            2-9  flexible 8
  9 OffsetFetch             1-9  flexible 6
 10 FindCoordinator         0-6  flexible 3
 11 JoinGroup               0-9  flexible 6
 12 Heartbeat               0-4  flexible 4
 13 LeaveGroup              0-5  flexible 4
 14 SyncGroup               0-5  flexible 4
 15 DescribeGroups          0-6  flexible 5
 16 ListGroups              0-5  flexible 3
 18 ApiVersions             0-4  flexible 3
 19 CreateTopics            2-7  flexible 5
 20 DeleteTopics            1-6  flexible 4
 21 DeleteRecords           0-2  flexible 2
 22 InitProducerId          0-5  flexible 2
 23 OffsetForLeaderEpoch    2-4  flexible 4
 24 AddPartitionsToTxn      0-3  flexible 3
 25 AddOffsetsToTxn         0-4  flexible 3
 26 EndTxn                  0-4  flexible 3
 28 TxnOffsetCommit         0-4  flexible 3
 32 DescribeConfigs         1-4  flexible 4
 33 AlterConfigs            0-2  flexible 2
 35 DescribeLogDirs         1-5  flexible 2
 37 CreatePartitions        0-3  flexible 2
 42 DeleteGroups            0-2  flexible 2
 43 ElectLeaders            0-2  flexible 2
 44 IncrementalAlterConfigs 0-1  flexible 1
 45 AlterPartitionReassignments 0-1 flexible 0
 46 ListPartitionReassignments 0-0 flexible 0
 47 OffsetDelete            0-0
 60 DescribeCluster         0-2  flexible 0
 61 DescribeProducers       0-0  flexible 0
 65 DescribeTransactions    0-0  flexible 0
 66 ListTransactions        0-2  flexible 0
 75 DescribeTopicPartitions 0-0  flexible 0
`;

test("what is served is the table", () => {
  const rows = handlers.map(({ api, listed }) => {
    const served = api.versions.join("-");
    const shown = listed.join("-") === served ? [] : ["listed", listed.join("-")];
    const flexible = api.flexible === null ? [] : ["flexible", `${api.flexible}`];
    return [`${api.key}`, api.name, served, ...shown, ...flexible].join(" ");
  });
  const table = TABLE.trim().split("\n");
  expect(rows).toEqual(table.map((row) => row.trim().split(/\s+/).join(" ")));
});

test("SASL, the newer group protocol and what else does not work yet is not listed", () => {
  const keys = servedApis(handlers).map(({ key }) => key);
  for (const absent of [17, 27, 36, 68, 69]) expect(keys).not.toContain(absent);
});
