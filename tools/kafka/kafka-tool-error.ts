/** Something that the person at the keyboard can put right: printed as one line, without a stack. */
export class KafkaToolError extends Error {
  override readonly name = "KafkaToolError";
  /** 2 where a setting is at fault, 1 otherwise. */
  readonly exitCode: 1 | 2;

  constructor(message: string, options: ErrorOptions & { exitCode?: 1 | 2 } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? 1;
  }
}
