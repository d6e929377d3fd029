/**
 * What a service and the supervisor that started it say to each other over Node's IPC channel.
 *
 * The channel also is the life line: a supervisor that is killed can't say anything, but its channel closes.
 */
import * as z from "zod";

/** Set by a supervisor that ends its services one by one: Ctrl-C reaches them too, and is then not theirs. */
export const SUPERVISED = "KELVIN_SUPERVISED";

/** Set by a supervisor that asks what is wrong with the settings: the service says it, and ends without starting. */
export const CHECK_SETTINGS = "KELVIN_CHECK_SETTINGS";

/** What a service says to its supervisor over the IPC channel: that it is ready and where, or why it failed. */
export const ToSupervisor = z.discriminatedUnion("kelvin", [
  z.object({ kelvin: z.literal("ready"), url: z.string().default("") }),
  z.object({
    kelvin: z.literal("failed"),
    reason: z.string(),
    /** Where settings are the reason: each that is wrong. */
    problems: z.array(z.string()).optional(),
  }),
]);
export type ToSupervisor = z.input<typeof ToSupervisor>;

/** What a supervisor says to a service over its IPC channel: stop in order. */
export const ToService = z.object({ kelvin: z.literal("stop") });
export type ToService = z.infer<typeof ToService>;

/** Says something to the supervisor, if there is one; resolves when it is on its way. */
export function tellSupervisor(message: ToSupervisor): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });
}
