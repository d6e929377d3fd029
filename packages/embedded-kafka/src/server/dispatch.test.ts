/** A handler that fails: an answer where there is room for one, the end of the connection where there is none. */
import { expect, test } from "vitest";
import { produceHandler } from "../handlers/00-produce.ts";
import { heartbeatHandler } from "../handlers/12-heartbeat.ts";
import type { Handler, RequestContext } from "../handlers/handler.ts";
import { servedApis } from "../handlers/index.ts";
import { responseCodec } from "../protocol/codec.ts";
import { DecodeError } from "../protocol/decode-error.ts";
import { heartbeat } from "../protocol/messages/heartbeat.ts";
import { produce } from "../protocol/messages/produce.ts";
import { Reader } from "../protocol/reader.ts";
import { frame } from "../testing/raw-client.ts";
import {
  Dispatcher,
  type Reply,
  readRequestHeader,
  UnanswerableError,
  UnservedRequestError,
} from "./dispatch.ts";

class TestFailure extends Error {
  override readonly name = "TestFailure";
}

function dispatcher(...handlers: Handler[]) {
  const failures: unknown[] = [];
  const made = new Dispatcher(handlers, servedApis(handlers), (error) => failures.push(error));
  const serve = (bytes: Buffer): Reply | Promise<Reply> => {
    const reader = new Reader(bytes.subarray(4));
    const header = readRequestHeader(reader);
    return made.serve(header, reader, {} as RequestContext);
  };
  return { serve, failures };
}

const beat = (version: number) =>
  frame(heartbeat, version, { groupId: "g", generationId: 1, memberId: "m" }, 77);
const write = frame(produce, 9, { acks: 1, timeoutMs: 1, topicData: [] });

function failing(handler: Handler, handle: () => unknown): Handler {
  return { ...handler, handle };
}

const throws = () => {
  throw new TestFailure("on purpose");
};

test.each([
  ["throws", throws],
  ["rejects", () => Promise.reject(new TestFailure("on purpose"))],
])("a handler that %s is answered with error -1, and told of", async (_how, handle) => {
  for (const version of [0, 4]) {
    const { serve, failures } = dispatcher(failing(heartbeatHandler, handle));
    const parts = await serve(beat(version));
    const reader = new Reader(Buffer.concat(parts ?? []));
    expect(reader.int32()).toBe(reader.remaining);
    expect(reader.int32()).toBe(77);
    if (version === 4) expect(reader.unsignedVarint()).toBe(0);
    expect(responseCodec(heartbeat, version).decode(reader)).toEqual({ throttleTimeMs: 0, errorCode: -1 });
    expect(failures).toEqual([new TestFailure("on purpose")]);
  }
});

test("a handler that fails and whose response has no error code ends the connection", async () => {
  const { serve, failures } = dispatcher(failing(produceHandler, throws));
  expect(() => serve(write)).toThrow(UnanswerableError);
  expect(failures).toHaveLength(1);
});

test("an unsupported or malformed request ends the connection and is not logged as a failure of the broker", () => {
  const { serve, failures } = dispatcher(heartbeatHandler);
  expect(() => serve(write)).toThrow(UnservedRequestError);
  const shorter = beat(2);
  expect(() => serve(shorter.subarray(0, shorter.length - 1))).toThrow(DecodeError);
  const unknownVersion = beat(2);
  unknownVersion.writeInt16BE(5, 6);
  expect(() => serve(unknownVersion)).toThrow(UnservedRequestError);
  expect(failures).toEqual([]);
});
