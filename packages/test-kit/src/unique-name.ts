import { randomBytes } from "node:crypto";

/** A topic or group name that no other test run uses: tests share a Kafka, and its topics stay. */
export const uniqueName = (prefix: string): string => `${prefix}-${randomBytes(5).toString("hex")}`;
