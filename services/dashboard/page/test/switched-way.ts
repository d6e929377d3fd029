/** A TCP way to a server that a test can cut, restore, and lead to another server: a load balancer, or a bad network. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export class SwitchedWay implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #target: URL;
  #isCut = false;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((near) => this.#lead(near));
  }

  /** Listens on a free port and leads to the server at `url`. */
  static async open(url: string): Promise<SwitchedWay> {
    const way = new SwitchedWay(new URL(url));
    way.#server.listen(0, "127.0.0.1");
    await once(way.#server, "listening");
    return way;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
  }

  /** Ends all connections, and lets none through until `restore`. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#isCut = false;
  }

  /** For connections from now on. */
  leadTo(url: string): void {
    this.#target = new URL(url);
  }

  #lead(near: Socket): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(this.#target.port), this.#target.hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}
