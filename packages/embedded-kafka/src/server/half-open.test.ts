/** Clients that announce a huge request and then say little or nothing: they cost what they sent, and others are served. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "vitest";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import { eventually } from "../testing/cluster-under-test.ts";
import { started } from "../testing/started.ts";

const CLIENTS = 300;
const KIB = 1024;
/** `socket.request.max.bytes`: 300 of them would be 30 GB. */
const ANNOUNCED = 100 * KIB * KIB;
const PIECE = 64 * KIB;

function connected(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  return once(socket, "connect").then(() => socket);
}

/** Where the process's buffers come to rest: sockets free theirs in their own time. */
async function buffersAtMost(bytes: number): Promise<void> {
  await eventually(`buffers of at most ${bytes} bytes`, async () => {
    globalThis.gc?.();
    return process.memoryUsage().arrayBuffers <= bytes ? true : null;
  });
}

async function sendToAll(sockets: readonly Socket[], bytes: Buffer): Promise<void> {
  await Promise.all(
    sockets.map((socket) => new Promise<void>((sent) => void socket.write(bytes, () => sent()))),
  );
}

test("300 half-open requests of 100 MiB cost a small multiple of what came of them", async () => {
  await using on = await started();
  const sockets = await Promise.all(Array.from({ length: CLIENTS }, () => connected(on.broker.port)));
  try {
    await eventually("the connections", async () => (on.broker.connections().length > CLIENTS ? true : null));
    const before = process.memoryUsage().arrayBuffers;
    const announcement = Buffer.alloc(10);
    announcement.writeInt32BE(ANNOUNCED);
    await sendToAll(sockets, announcement);
    await on.client.send(apiVersions, 3, { clientSoftwareName: "t", clientSoftwareVersion: "1" });
    await buffersAtMost(before + CLIENTS * 2 * KIB + PIECE);

    await sendToAll(sockets, Buffer.alloc(PIECE));
    await on.client.send(apiVersions, 3, { clientSoftwareName: "t", clientSoftwareVersion: "1" });
    await buffersAtMost(before + CLIENTS * 4.5 * PIECE);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await eventually("the end of the connections", async () =>
    on.broker.connections().length === 1 ? true : null,
  );
});
