/** A TCP way to several servers, as a load balancer leads it: each connection goes to the first that answers. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export class Balancer implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #ports: readonly number[];

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#server = createServer((near) => this.#lead(near, this.#ports));
  }

  /** Listens on a free port of the loopback. */
  static async start(urls: readonly string[]): Promise<Balancer> {
    const balancer = new Balancer(urls.map((url) => Number(new URL(url).port)));
    balancer.#server.listen(0, "127.0.0.1");
    await once(balancer.#server, "listening");
    return balancer;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
  }

  #lead(near: Socket, [port, ...others]: readonly number[]): void {
    if (port === undefined) {
      near.destroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    let isThere = false;
    near.on("error", () => far.destroy());
    near.on("close", () => far.destroy());
    far.on("connect", () => {
      isThere = true;
      near.pipe(far);
      far.pipe(near);
    });
    far.on("error", () => {});
    far.on("close", () => {
      this.#sockets.delete(far);
      if (isThere) near.destroy();
      else this.#lead(near, others);
    });
    this.#sockets.add(far);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
