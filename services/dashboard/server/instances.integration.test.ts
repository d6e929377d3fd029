/** Two servers behind one address, as behind a load balancer: when one is gone, its viewers continue with the other. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { brokersOfTests, dashboard, installation, Sender } from "./fixtures/kafka.ts";
import { TestPage } from "./fixtures/server-and-page.ts";

const until = <T>(condition: () => T) => vi.waitFor(condition, { timeout: 20_000, interval: 20 });

/** Passes connections on to one port at a time. Knows nothing of what goes through it, and so needs no sticky sessions. */
class Balancer implements AsyncDisposable {
  target: number;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(target: number) {
    this.target = target;
    this.#server = createServer((near) => {
      const far = connect(this.target, "127.0.0.1");
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#open.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.#open.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  static async start(target: number): Promise<Balancer> {
    const balancer = new Balancer(target);
    balancer.#server.listen(0, "127.0.0.1");
    await once(balancer.#server, "listening");
    return balancer;
  }

  get url(): string {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new TypeError("the balancer does not listen");
    return `http://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

const portOf = (server: { url: string }) => Number(new URL(server.url).port);

test("a page that moves to another instance while readings come has each of them once, as the topic has", async () => {
  const here = installation(brokersOfTests());
  await using sender = await Sender.start(here);
  const sent: { eventMs: number; celsius: number }[] = [];
  const say = async () => {
    const reading = { device: "machine-01", celsius: sent.length, eventMs: Date.now() };
    await sender.readings([reading]);
    sent.push({ eventMs: reading.eventMs, celsius: reading.celsius });
  };
  for (let i = 0; i < 5; i++) await say();
  const first = await dashboard(here);
  await using second = await dashboard(here);
  await until(() => expect([first.ready().ok, second.ready().ok]).toEqual([true, true]));
  await using balancer = await Balancer.start(portOf(first));
  // As a page does: at each connect it says what it has.
  const page: TestPage = new TestPage(
    balancer.url,
    (answer: (auth: object) => void) => answer({ watch: page.wanted }),
    { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 },
  );
  using watching = page;
  await until(() => expect(watching.series).toEqual(sent));
  for (let i = 0; i < 5; i++) await say();
  await until(() => expect(watching.series).toEqual(sent));
  const boot = watching.welcome?.boot;

  // Readings continue without a pause while the instance goes, and while the page looks for the other.
  const isOver = { value: false };
  const flow = (async () => {
    while (!isOver.value) await say();
  })();
  await until(() => expect(watching.series.length).toBeGreaterThan(15));
  balancer.target = portOf(second);
  const startedMs = performance.now();
  await first[Symbol.asyncDispose]();
  await until(() => {
    expect(watching.welcome?.boot).not.toBe(boot);
    expect(watching.snapshots).toHaveLength(2);
  });
  expect(performance.now() - startedMs).toBeLessThan(5_000);
  const atMove = sent.length;
  await until(() => expect(sent.length).toBeGreaterThan(atMove + 10));
  isOver.value = true;
  await flow;
  await until(() => expect(watching.series).toHaveLength(sent.length));
  expect(watching.series).toEqual(sent);
  expect(watching.unfit).toEqual([]);
});

test("two instances show the same, each with a consumer group of its own", async () => {
  const here = installation(brokersOfTests());
  await using sender = await Sender.start(here);
  await using first = await dashboard(here);
  await using second = await dashboard(here);
  using one = TestPage.watching(first.url, "m");
  using other = TestPage.watching(second.url, "m");
  await until(() => expect([first.ready().ok, second.ready().ok]).toEqual([true, true]));
  const sent = Array.from({ length: 50 }, (_, i) => ({ device: "m", celsius: i, eventMs: Date.now() + i }));
  await sender.readings(sent);
  const expected = sent.map(({ celsius, eventMs }) => ({ eventMs, celsius }));
  await until(() => expect([one.series, other.series]).toEqual([expected, expected]));
});
