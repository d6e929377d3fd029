/** When each reading is sent: at its own time, without drift, and without a flood after a pause. */
import type { SensorReading } from "@kelvin/schema";
import type { Clock } from "@kelvin/service-kit";
import { type Machine, temperatureOf } from "./simulate.ts";

/** A reading and when it is to be sent. */
export interface Due {
  /** Milliseconds since the epoch. */
  dueMs: number;
  reading: SensorReading;
}

/** Behind by more (the machine slept, its clock was set), it continues from now. Nothing is sent twice or invented. */
export const CATCH_UP_MS = 5000;
/** Timers are not for months: a longer wait is cut into pieces. */
const WAIT_MS_MAX = 60_000;
/** Others get their turn after so many readings without a wait. */
const BURST = 200;

/** Each machine is this much of a wave further than the one before: no two of any number come to lie together. */
const PHASE_STEP = (Math.sqrt(5) - 1) / 2;

export interface Simulation {
  /** The first one; the others differ from it in their phase, else all would be too hot at the same time. */
  machine: Machine;
  devices: readonly string[];
  intervalMs: number;
}

/**
 * The readings of all devices for ever: each device once in an interval, the devices spread evenly over it.
 *
 * @param onJump told by how much the clock ran away from the schedule, which then restarts at the clock's time
 */
export function* simulatedReadings(
  { machine, devices, intervalMs }: Simulation,
  now: () => number,
  toTimestamp: (timeMs: number) => string,
  onJump: (byMs: number) => void,
): Generator<Due> {
  const machines = devices.map((device, index) => ({
    device,
    machine: { ...machine, phase: (machine.phase + index * PHASE_STEP) % 1 },
  }));
  for (let slotMs = now(); ; slotMs += intervalMs) {
    const byMs = now() - slotMs;
    if (byMs > CATCH_UP_MS || -byMs > intervalMs + CATCH_UP_MS) {
      onJump(byMs);
      slotMs += byMs;
    }
    for (const [index, { device, machine }] of machines.entries()) {
      const dueMs = slotMs + Math.floor((index * intervalMs) / devices.length);
      const temperature = temperatureOf(machine, device, dueMs);
      yield { dueMs, reading: { timestamp: toTimestamp(dueMs), device_id: device, temperature } };
    }
  }
}

/** Hands each reading on when it is due; ends with the readings, or when `stopping` is aborted. */
export async function pace(
  readings: AsyncIterable<Due> | Iterable<Due>,
  clock: Clock,
  stopping: AbortSignal,
  send: (reading: SensorReading) => void,
): Promise<void> {
  let sinceWait = 0;
  for await (const { dueMs, reading } of readings) {
    // Counted on a clock that never steps, the wait ends also when the wall clock is set back meanwhile.
    const endMs = clock.monotonic() + dueMs - clock.now();
    const left = () => Math.min(dueMs - clock.now(), endMs - clock.monotonic());
    for (let waitMs = left(); waitMs > 0 && !stopping.aborted; waitMs = left()) {
      await wait(clock, Math.min(waitMs, WAIT_MS_MAX), stopping);
      sinceWait = 0;
    }
    if (++sinceWait > BURST) {
      await wait(clock, 0, stopping);
      sinceWait = 0;
    }
    if (stopping.aborted) return;
    send(reading);
  }
}

function wait(clock: Clock, delayMs: number, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      stopping.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.setTimeout(done, delayMs);
    stopping.addEventListener("abort", done);
    if (stopping.aborted) done();
  });
}
