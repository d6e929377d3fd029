/** Where something may step in between a client and the broker: the fault rules do. */
import type { Api } from "../protocol/schema.ts";
import type { Reply, RequestHeader } from "./request.ts";

export type MaybeLater<T> = T | Promise<T>;

/** A decoded request that is about to be served. */
export interface DecodedCall {
  readonly api: Api;
  readonly header: RequestHeader;
  readonly request: unknown;
  /** The answer that nothing was done, and why. */
  refuse(errorCode: number): Reply;
}

/** The connection, for whoever writes to it past the broker. */
export interface Wire {
  readonly closed: boolean;
  /** Ends the connection at once. */
  close(): void;
  /** Sends bytes at once; resolves when they have left the process, or never will. */
  write(bytes: Buffer): Promise<void>;
  /** Sends bytes, then ends the connection. */
  finish(bytes: Buffer): void;
  /** Reads and serves nothing more until the returned function is called. */
  stall(): () => void;
}

export interface InterceptedCall extends DecodedCall {
  readonly brokerId: number;
  readonly wire: Wire;
}

export interface Interference {
  /** Serves a request by `serve`, or does not; its answer, or null where none is to be sent. */
  around(call: InterceptedCall, serve: () => MaybeLater<Reply>): MaybeLater<Reply>;
  /** Resolves when a broker accepts connections again; null where it does. */
  acceptance(brokerId: number): Promise<void> | null;
}
