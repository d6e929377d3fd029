import { api, array, arrayOf, bool, int16, int32, string } from "../schema.ts";

export const alterPartitionReassignments = api({
  key: 45,
  name: "AlterPartitionReassignments",
  versions: [0, 1],
  flexible: 0,
  request: {
    timeoutMs: int32({ default: 60_000 }),
    allowReplicationFactorChange: bool({ since: 1, default: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: arrayOf(int32(), { nullable: true, default: null }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    allowReplicationFactorChange: bool({ since: 1, default: true }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    responses: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true, default: null }),
      }),
    }),
  },
});
