/** Bytes that are not what the protocol says. Ends the connection they came by, and no other. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
  readonly code = "BROKER_BAD_BYTES";
  /** Where in the frame or batch, in bytes. */
  readonly position: number;

  constructor(what: string, position: number) {
    super(`${what} at byte ${position}`);
    this.position = position;
  }
}
