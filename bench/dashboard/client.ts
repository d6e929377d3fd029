/**
 * A page as far as the network goes: socket.io over a websocket (RFC 6455), by hand. It costs a tenth of a real client,
 * so that many fit beside the server that is measured, and it can stop reading as a stalled one does.
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import * as z from "zod";

const Snapshot = z.object({ next: z.number() });
const Batch = z.object({
  nowMs: z.number(),
  first: z.number(),
  readings: z.object({ t0: z.number(), celsius: z.array(z.number()) }),
});
const Fleet = z.object({ nowMs: z.number() });

interface BatchHead {
  readonly nowMs: number;
  readonly first: number;
  readonly count: number;
  readonly t0: number;
}

/** All viewers of a device are sent the same bytes: only the first of them looks what they say. */
let newest: { readonly text: string; readonly head: BatchHead } | undefined;

function headOf(text: string): BatchHead {
  if (newest?.text !== text) {
    const { nowMs, first, readings } = Batch.parse(contentOf(text));
    newest = { text, head: { nowMs, first, count: readings.celsius.length, t0: readings.t0 } };
  }
  return newest.head;
}

const TEXT = 1;
const HEAD_END = "\r\n\r\n";

/** What clients took in, all together. */
export class Tally {
  frames = 0;
  batches = 0;
  batchBytes = 0;
  /** By the server's clock: when the first and the last of these batches were made. */
  fromMs = Number.POSITIVE_INFINITY;
  untilMs = Number.NEGATIVE_INFINITY;
  readings = 0;
  /** Readings that a batch did not continue from the one before. */
  lost = 0;
  /** From the instant of a batch's oldest reading to here. */
  latenciesMs: number[] = [];
}

export class BenchClient {
  tally: Tally;
  /** Bytes off the network. */
  received = 0;
  isOpen = false;
  readonly #socket: Socket;
  readonly #device: string;
  #rest: Buffer = Buffer.alloc(0);
  #isUpgraded = false;
  #next: number | undefined;

  constructor(url: URL, device: string, tally: Tally) {
    this.tally = tally;
    this.#device = device;
    this.#socket = connect(Number(url.port), "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.isOpen = false;
    });
    this.#socket.on("data", (bytes) => this.#take(bytes));
    const lines = [
      "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
      `Host: ${url.host}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    ];
    this.#socket.write(lines.join("\r\n") + HEAD_END);
  }

  /** Reads no more, like a machine that sleeps. */
  stall(): void {
    this.#socket.pause();
  }

  wake(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.received += bytes.length;
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (!this.#isUpgraded) {
      const end = this.#rest.indexOf(HEAD_END);
      if (end === -1) return;
      this.#isUpgraded = true;
      this.#rest = this.#rest.subarray(end + HEAD_END.length);
    }
    for (let frame = this.#frame(); frame !== undefined; frame = this.#frame()) this.#hear(frame);
  }

  /** The next whole text frame, "" for another kind; undefined where more has to come. */
  #frame(): string | undefined {
    const rest = this.#rest;
    if (rest.length < 2) return undefined;
    const short = (rest[1] ?? 0) & 0x7f;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (rest.length < head) return undefined;
    const length = head === 2 ? short : head === 4 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
    if (rest.length < head + length) return undefined;
    this.#rest = rest.subarray(head + length);
    return ((rest[0] ?? 0) & 0x0f) === TEXT ? rest.toString("utf8", head, head + length) : "";
  }

  #hear(text: string): void {
    this.tally.frames += 1;
    if (text.startsWith("0")) {
      this.#say(`40${JSON.stringify({ watch: { device: this.#device, have: null, spanMs: null } })}`);
    } else if (text === "2") this.#say("3");
    else if (text.startsWith('42["batch"')) this.#batch(text);
    else if (text.startsWith('42["snapshot"')) {
      this.#next = Snapshot.parse(contentOf(text)).next;
      this.isOpen = true;
    } else if (text.startsWith('42["fleet"')) {
      this.#say(`42${JSON.stringify(["ack", { fleetMs: Fleet.parse(contentOf(text)).nowMs }])}`);
    }
  }

  #batch(text: string): void {
    const { nowMs, first, count, t0 } = headOf(text);
    this.tally.fromMs = Math.min(this.tally.fromMs, nowMs);
    this.tally.untilMs = Math.max(this.tally.untilMs, nowMs);
    this.tally.batches += 1;
    this.tally.batchBytes += text.length;
    this.tally.readings += count;
    if (count > 0) this.tally.latenciesMs.push(Date.now() - t0);
    // The first batch after the snapshot may begin with what was in it.
    if (this.#next !== undefined) this.tally.lost += Math.max(0, first - this.#next);
    this.#next = first + count;
  }

  /** One masked text frame of up to 125 bytes. */
  #say(text: string): void {
    const payload = Buffer.from(text);
    const mask = randomBytes(4);
    const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
    this.#socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, masked]));
  }
}

function contentOf(text: string): unknown {
  const parts: unknown = JSON.parse(text.slice(2));
  return Array.isArray(parts) ? parts[1] : undefined;
}
