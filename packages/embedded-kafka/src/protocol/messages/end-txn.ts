import { api, bool, int16, int32, int64, string } from "../schema.ts";

/** Version 5 belongs to the second transaction protocol (KIP-890): its answer brings the next epoch. */
export const endTxn = api({
  key: 26,
  name: "EndTxn",
  versions: [0, 4],
  flexible: 3,
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    committed: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
  },
});
