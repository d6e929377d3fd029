import { describe, expect, test } from "vitest";
import { PollTracker } from "./poll-tracker.ts";

/** A whole round: asked, answered, asked again. */
function round(polls: PollTracker, broker = "1"): void {
  polls.fetchStarted(broker);
  polls.answered();
}

describe("whether a partition was read to its end", () => {
  test("is known after a whole round without a batch of it, and not before", () => {
    const polls = new PollTracker();
    polls.assigned(["a", "b"]);
    round(polls);
    expect(polls.isAtEnd("a")).toBe(false);
    round(polls);
    expect(polls.isAtEnd("a")).toBe(true);
    polls.batch("a", false);
    expect([polls.isAtEnd("a"), polls.isAtEnd("b")]).toEqual([false, true]);
    round(polls);
    expect(polls.isAtEnd("a")).toBe(false);
    round(polls);
    expect(polls.isAtEnd("a")).toBe(true);
  });

  test("is known at once when a batch reached the topic's end", () => {
    const polls = new PollTracker();
    polls.assigned(["a"]);
    round(polls);
    polls.batch("a", true);
    expect(polls.isAtEnd("a")).toBe(true);
    polls.batch("a", false);
    expect(polls.isAtEnd("a")).toBe(false);
  });

  test("does not follow from rounds that failed: kafkajs tells of those as of empty ones", () => {
    const polls = new PollTracker();
    polls.assigned(["a"]);
    polls.fetchStarted("1");
    polls.fetchStarted("1");
    polls.fetchStarted("1");
    expect(polls.isAtEnd("a")).toBe(false);
  });

  test("needs a round of every broker: any of them may have the partition", () => {
    const polls = new PollTracker();
    polls.assigned(["a"]);
    round(polls, "1");
    round(polls, "2");
    round(polls, "1");
    expect(polls.isAtEnd("a")).toBe(false);
    round(polls, "2");
    expect(polls.isAtEnd("a")).toBe(true);
  });

  test("is open again after partitions were handed out, or while one is not asked for", () => {
    const polls = new PollTracker();
    polls.assigned(["a"]);
    round(polls);
    round(polls);
    polls.unknown("a");
    expect(polls.isAtEnd("a")).toBe(false);
    round(polls);
    round(polls);
    polls.assigned(["a"]);
    expect(polls.isAtEnd("a")).toBe(false);
    expect(polls.isAtEnd("never assigned")).toBe(false);
  });
});
