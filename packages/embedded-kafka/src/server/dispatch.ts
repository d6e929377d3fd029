/** From the bytes of one request to the bytes of its response. */
import { otherVersion } from "../handlers/18-api-versions.ts";
import type { Handler, RequestContext, ServedApi } from "../handlers/handler.ts";
import { NO_RESPONSE } from "../handlers/handler.ts";
import { refusalOf } from "../handlers/refusal.ts";
import { requestCodec, responseCodec } from "../protocol/codec.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import { produce } from "../protocol/messages/produce.ts";
import type { Reader } from "../protocol/reader.ts";
import { isFlexible, type RequestOf } from "../protocol/schema.ts";
import { Writer } from "../protocol/writer.ts";
import type { DecodedCall, MaybeLater } from "./interference.ts";
import type { Reply, RequestHeader } from "./request.ts";

export type { Reply, RequestHeader } from "./request.ts";

const LENGTH_BYTES = 4;

/** An API or a version that is not served: there is no way to answer it, so the connection ends. */
export class UnservedRequestError extends Error {
  override readonly name = "UnservedRequestError";
  readonly code = "BROKER_UNSERVED_REQUEST";

  constructor({ apiKey, apiVersion }: RequestHeader) {
    super(`API ${apiKey} version ${apiVersion} is not supported: see ApiVersions`);
  }
}

/** A handler failed and its API has no place for an error: the connection ends. */
export class UnanswerableError extends Error {
  override readonly name = "UnanswerableError";
  readonly code = "BROKER_UNANSWERABLE";
}

/** Reads the head up to the client id; tags, where there are any, come after. */
export function readRequestHeader(reader: Reader): RequestHeader {
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  const length = reader.int16();
  if (length < -1) throw reader.error(`client id of ${length} bytes`);
  return { apiKey, apiVersion, correlationId, clientId: length === -1 ? "" : reader.utf8(length) };
}

export class Dispatcher {
  readonly #handlers: ReadonlyMap<number, Handler>;
  readonly #served: readonly ServedApi[];
  readonly #failed: (error: unknown, header: RequestHeader) => void;

  /** @param failed told of every exception of a handler. */
  constructor(
    handlers: readonly Handler[],
    served: readonly ServedApi[],
    failed: (error: unknown, header: RequestHeader) => void,
  ) {
    this.#handlers = new Map(handlers.map((handler) => [handler.api.key, handler]));
    this.#served = served;
    this.#failed = failed;
  }

  /**
   * Serves a request whose head has been read.
   *
   * @param around may step in between the decoded request and its handler.
   * @throws DecodeError, UnservedRequestError, UnanswerableError: the connection has to end.
   */
  serve(
    header: RequestHeader,
    reader: Reader,
    context: RequestContext,
    around?: (call: DecodedCall, serve: () => MaybeLater<Reply>) => MaybeLater<Reply>,
  ): MaybeLater<Reply> {
    const { apiKey, apiVersion } = header;
    const handler = this.#handlers.get(apiKey);
    const [least, greatest] = handler?.api.versions ?? [0, -1];
    if (handler === undefined || apiVersion < least || apiVersion > greatest) {
      if (apiKey !== apiVersions.key) throw new UnservedRequestError(header);
      const list = otherVersion(this.#served);
      return this.#encode(header, false, (writer) => responseCodec(apiVersions, 0).encode(writer, list));
    }
    if (isFlexible(handler.api, apiVersion)) skipTags(reader);
    const request = requestCodec(handler.api, apiVersion).decode(reader);
    const serve = () => this.#handle(handler, header, request, context);
    if (around === undefined) return serve();
    const refuse = (code: number) => this.#refuse(handler, header, request, code);
    return around({ api: handler.api, header, request, refuse }, serve);
  }

  #handle(
    handler: Handler,
    header: RequestHeader,
    request: unknown,
    context: RequestContext,
  ): MaybeLater<Reply> {
    try {
      const response = handler.handle(context, request as never);
      if (!(response instanceof Promise)) return this.#reply(handler, header, response);
      return response.then(
        (value: unknown) => this.#reply(handler, header, value),
        (error: unknown) => this.#replyFailure(handler, header, error),
      );
    } catch (error) {
      return this.#replyFailure(handler, header, error);
    }
  }

  #reply({ api }: Handler, header: RequestHeader, response: unknown): Reply {
    if (response === NO_RESPONSE) return null;
    const tagged = api.key !== apiVersions.key && isFlexible(api, header.apiVersion);
    const codec = responseCodec(api, header.apiVersion);
    return this.#encode(header, tagged, (writer) => codec.encode(writer, response as never));
  }

  #refuse(handler: Handler, header: RequestHeader, request: unknown, code: number): Reply {
    const { api } = handler;
    const wantsNone = api.key === produce.key && (request as RequestOf<typeof produce>).acks === 0;
    const response = refusalOf(api, request, code, header.apiVersion);
    return this.#reply(handler, header, wantsNone ? NO_RESPONSE : response);
  }

  /** Error -1 where the API has one error for the whole response. */
  #replyFailure(handler: Handler, header: RequestHeader, error: unknown): Reply {
    this.#failed(error, header);
    if (!("errorCode" in handler.api.response)) {
      throw new UnanswerableError(`${handler.api.name} failed and its response has no error code`, {
        cause: error,
      });
    }
    return this.#reply(handler, header, failureOf(handler));
  }

  #encode(header: RequestHeader, tagged: boolean, body: (writer: Writer) => void): readonly Buffer[] {
    const writer = new Writer();
    writer.int32(0);
    writer.int32(header.correlationId);
    if (tagged) writer.unsignedVarint(0);
    body(writer);
    const length = writer.length - LENGTH_BYTES;
    const parts = writer.finish();
    parts[0]?.writeInt32BE(length, 0);
    return parts;
  }
}

/** A response of nothing but the error: every other field is empty. */
function failureOf({ api }: Handler): Record<string, unknown> {
  const response: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(api.response)) response[name] = field.absent;
  response["errorCode"] = errorCode.unknownServerError;
  return response;
}

function skipTags(reader: Reader): void {
  const count = reader.unsignedVarint();
  if (count * 2 > reader.remaining)
    throw reader.error(`${count} tagged fields announced, too few bytes left`);
  for (let i = 0; i < count; i++) {
    reader.unsignedVarint();
    reader.nested(reader.unsignedVarint());
  }
}
