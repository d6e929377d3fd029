/** A record's place in the order of its partition. */
export class Turn {
  readonly #come = Promise.withResolvers<void>();
  /** Its functions are called in its place: what was begun before it has come as far. */
  isInOrder = true;
  /** All records before it count: what they changed is there to be read. */
  isOpen = false;

  /** Resolves when all records before it count. */
  get come(): Promise<void> {
    return this.#come.promise;
  }

  open(): void {
    this.isInOrder = true;
    this.isOpen = true;
    this.#come.resolve();
  }
}
