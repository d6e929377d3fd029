import { api, array, arrayOf, bool, int16, int32, int64, string } from "../schema.ts";

export const describeLogDirs = api({
  key: 35,
  name: "DescribeLogDirs",
  versions: [1, 5],
  flexible: 2,
  request: {
    topics: array(
      {
        topic: string(),
        partitions: arrayOf(int32()),
      },
      { nullable: true },
    ),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ since: 3, default: 0 }),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          partitionSize: int64(),
          offsetLag: int64(),
          isFutureKey: bool(),
        }),
      }),
      totalBytes: int64({ since: 4, default: -1 }),
      usableBytes: int64({ since: 4, default: -1 }),
      isCordoned: bool({ since: 5, default: false }),
    }),
  },
});
