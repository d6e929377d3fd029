/** Every API can refuse a request as a whole, in every version that is served. */
import { describe, expect, test } from "vitest";
import { responseCodec } from "../protocol/codec.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { Reader } from "../protocol/reader.ts";
import type { Api } from "../protocol/schema.ts";
import { Writer } from "../protocol/writer.ts";
import { sampleOf, versionsOf } from "../testing/samples.ts";
import { handlers } from "./index.ts";
import { refusalOf } from "./refusal.ts";

const CODE = errorCode.notCoordinator;

/** All error codes of an answer, however deep. */
function codesOf(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null || Buffer.isBuffer(value)) return [];
  return Object.entries(value).flatMap(([name, field]) =>
    /^(partitionE|e)rrorCode$/.test(name) ? [field] : codesOf(field),
  );
}

function refusal(api: Api, version: number): unknown {
  const request = sampleOf(api, "request", version, "full");
  const answer = new Writer();
  responseCodec(api, version).encode(answer, refusalOf(api, request, CODE, version) as never);
  return responseCodec(api, version).decode(new Reader(answer.concat()));
}

describe.each(handlers.map(({ api }) => [api.name, api] as const))("%s", (_name, api) => {
  test.each(versionsOf(api))("version %i", (version) => {
    const codes = codesOf(refusal(api, version));
    expect(codes).toContain(CODE);
    // Fields that a version has not are at their default.
    expect(codes.filter((code) => code !== CODE && code !== errorCode.none)).toEqual([]);
  });
});
