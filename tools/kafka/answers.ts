import { once } from "node:events";
import { connect } from "node:net";
import { KafkaToolError } from "./kafka-tool-error.ts";

const ANSWER_TIMEOUT_MS = 2_000;

/**
 * Whether a Kafka answers on this port of the loopback, and knows at least one broker, so that clients can continue.
 *
 * Asks for the cluster's metadata without topics (Metadata version 1, with header version 1) by hand: a client
 * library would retry, and log what is not an error here.
 */
export async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1", timeout: ANSWER_TIMEOUT_MS });
  socket.on("timeout", () => socket.destroy(new KafkaToolError(`port ${port} is silent`)));
  try {
    await once(socket, "connect");
    socket.write(metadataRequest());
    let answer = Buffer.alloc(0);
    for await (const chunk of socket) {
      answer = Buffer.concat([answer, Buffer.from(chunk)]);
      // length, correlation id, then the number of brokers
      if (answer.length >= 12) return answer.readInt32BE(8) > 0;
    }
    return false;
  } catch {
    return false; // refused, or not ready: both mean "not yet" to the one who asks
  } finally {
    socket.destroy();
  }
}

function metadataRequest(): Buffer {
  const request = Buffer.alloc(18);
  request.writeInt32BE(14, 0); // length of what follows
  request.writeInt16BE(3, 4); // API key: Metadata
  request.writeInt16BE(1, 6); // API version
  request.writeInt32BE(1, 8); // correlation id
  request.writeInt16BE(-1, 12); // no client id
  request.writeInt32BE(0, 14); // no topics
  return request;
}
