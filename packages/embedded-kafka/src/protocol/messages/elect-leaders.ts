import { api, array, arrayOf, int8, int16, int32, string } from "../schema.ts";

export const electLeaders = api({
  key: 43,
  name: "ElectLeaders",
  versions: [0, 2],
  flexible: 2,
  request: {
    electionType: int8({ since: 1, default: 0 }),
    topicPartitions: array(
      {
        topic: string(),
        partitions: arrayOf(int32()),
      },
      { nullable: true },
    ),
    timeoutMs: int32({ default: 60_000 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ since: 1, default: 0 }),
    replicaElectionResults: array({
      topic: string(),
      partitionResult: array({
        partitionId: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true, default: null }),
      }),
    }),
  },
});
