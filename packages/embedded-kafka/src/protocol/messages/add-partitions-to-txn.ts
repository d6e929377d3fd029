import { api, array, arrayOf, int16, int32, int64, string } from "../schema.ts";

/** From version 4 on it is traffic between brokers: several transactions at once, or only a check. */
export const addPartitionsToTxn = api({
  key: 24,
  name: "AddPartitionsToTxn",
  versions: [0, 3],
  flexible: 3,
  request: {
    v3AndBelowTransactionalId: string(),
    v3AndBelowProducerId: int64(),
    v3AndBelowProducerEpoch: int16(),
    v3AndBelowTopics: array({
      name: string(),
      partitions: arrayOf(int32()),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    resultsByTopicV3AndBelow: array({
      name: string(),
      resultsByPartition: array({
        partitionIndex: int32(),
        partitionErrorCode: int16(),
      }),
    }),
  },
});
