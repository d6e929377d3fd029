/**
 * What a service and the supervisor that started it say to each other over Node's IPC channel.
 *
 * The channel also is the life line: a supervisor that is killed can't say anything, but its channel closes.
 */
import * as z from "zod";

/** Set by a supervisor that ends its services one by one: Ctrl-C reaches them too, and is then not theirs. */
export const SUPERVISED = "KELVIN_SUPERVISED";

export const ToSupervisor = z.discriminatedUnion("kelvin", [
  z.object({ kelvin: z.literal("ready"), url: z.string().default("") }),
  z.object({ kelvin: z.literal("failed"), reason: z.string() }),
]);
export type ToSupervisor = z.input<typeof ToSupervisor>;

export const ToService = z.object({ kelvin: z.literal("stop") });
export type ToService = z.infer<typeof ToService>;

/** Says something to the supervisor, if there is one; resolves when it is on its way. */
export function tellSupervisor(message: ToSupervisor): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });
}
