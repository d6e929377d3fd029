/** What is known of a request before its body is read, and what it is answered with. */

/** The head of every request: https://kafka.apache.org/protocol#protocol_messages */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
}

/** The response as a list of buffers, or null where none is wanted. */
export type Reply = readonly Buffer[] | null;
