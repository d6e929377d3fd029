/** A folder of a test's own, gone at its end. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class TemporaryFolder implements Disposable {
  readonly path = fs.mkdtempSync(join(tmpdir(), "embedded-kafka-"));

  /** What a process that is killed now would leave behind, since nothing is buffered in it. */
  copy(): TemporaryFolder {
    const copy = new TemporaryFolder();
    fs.cpSync(this.path, copy.path, { recursive: true });
    return copy;
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.path, { recursive: true, force: true });
  }
}
