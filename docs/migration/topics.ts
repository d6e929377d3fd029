/** The topics of the examples on migration, whose payloads zod describes; in a pipeline they stand in a file like this. */
import { defineTopic } from "@kelvin/schema";
import * as z from "zod";

export const Reading = z.object({
  device: z.string(),
  floor: z.string(),
  atMs: z.number(),
  celsius: z.number(),
});
export type Reading = z.infer<typeof Reading>;

export const Report = z.object({ name: z.string(), untilMs: z.number(), value: z.number().nullable() });
export type Report = z.infer<typeof Report>;

const DAY_MS = 24 * 60 * 60 * 1000;

const readingTopic = (name: string) =>
  defineTopic({
    name,
    value: Reading,
    key: ({ device }) => device,
    eventTimeMs: ({ atMs }) => atMs,
    partitions: 3,
    retentionMs: 7 * DAY_MS,
  });

export const readings = readingTopic("readings");
export const backup = readingTopic("backup");
export const hot = readingTopic("hot");
export const cold = readingTopic("cold");

export const reports = defineTopic({
  name: "reports",
  value: Report,
  key: ({ name }) => name,
  eventTimeMs: ({ untilMs }) => untilMs,
  partitions: 3,
  retentionMs: 7 * DAY_MS,
});
