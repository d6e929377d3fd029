import { expect, test } from "vitest";
import { announcementOf } from "./announcement.ts";

test("a page that was never built is not announced", () => {
  const addresses = { url: "http://localhost:5173", server: undefined, kafka: "localhost:9092" };
  expect(announcementOf(addresses)).toBe(
    "\nKelvin is running: http://localhost:5173 with hot reload.  (Kafka at localhost:9092)\n",
  );
  expect(announcementOf({ ...addresses, server: "http://localhost:3000" })).toContain(
    "http://localhost:3000 from the last build",
  );
});
