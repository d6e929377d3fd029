import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ago,
  change,
  count,
  duration,
  interval,
  inUnit,
  number,
  plural,
  rate,
  temperature,
  wholeSeconds,
} from "./format.ts";

test("a temperature has 2 decimals and its unit", () => {
  expect(temperature(36.9, "celsius")).toBe("36.90 °C");
  expect(temperature(36.9, "fahrenheit")).toBe("98.42 °F");
  expect(temperature(29.85, "kelvin")).toBe("303.00 K");
  expect(temperature(-12.345, "celsius")).toBe("−12.35 °C");
});

test("nothing is minus zero", () => {
  fc.assert(
    fc.property(fc.double({ min: -0.00499, max: 0, noNaN: true }), (value) => {
      expect(number(value)).toBe("0.00");
      expect(change(value, "celsius")).toBe("0.00");
    }),
  );
});

test("a change has a sign; one degree of Celsius is 1.8 of Fahrenheit and one kelvin", () => {
  expect(change(0.42, "celsius")).toBe("+0.42");
  expect(change(-1, "fahrenheit")).toBe("−1.80");
  expect(change(1, "kelvin")).toBe("+1.00");
});

test("units agree with each other at the points that everyone knows", () => {
  expect(inUnit(0, "fahrenheit")).toBe(32);
  expect(inUnit(100, "fahrenheit")).toBe(212);
  expect(inUnit(-273.15, "kelvin")).toBe(0);
});

test("durations grow from tenths to hours", () => {
  expect([0, 380, 9_949, 9_950, 59_400, 60_000, 125_000, 3_840_000].map(duration)).toEqual([
    "0.0 s",
    "0.4 s",
    "9.9 s",
    "10 s",
    "59 s",
    "1 min 00 s",
    "2 min 05 s",
    "1 h 04 min",
  ]);
  expect(duration(-5)).toBe("0.0 s");
  expect([999, 9_999, 61_000].map(wholeSeconds)).toEqual(["0 s", "9 s", "1 min 01 s"]);
});

test("an interval is never told as nothing", () => {
  expect([0.4, 45, 99, 100, 1_000].map(interval)).toEqual(["1 ms", "45 ms", "99 ms", "0.1 s", "1.0 s"]);
});

test("a rate is told in the unit in which it is at least one", () => {
  expect([500.4, 10, 1, 0.5, 0.02].map(rate)).toEqual(["500/s", "10.0/s", "1.0/s", "30/min", "1.2/min"]);
});

test("counts are grouped, and one is not many", () => {
  expect(count(1_234_567)).toBe("1,234,567");
  expect(count(999)).toBe("999");
  expect(plural(1, "reading")).toBe("1 reading");
  expect(plural(0, "reading")).toBe("0 readings");
});

test("a number that nobody can read is told by its size", () => {
  expect(number(9_999_999.994)).toBe("9999999.99");
  expect(number(-1e308)).toBe("−1.00e+308");
  expect(temperature(1.2345e20, "celsius", 1)).toBe("1.23e+20 °C");
});

test("an age takes few letters, whatever it is", () => {
  const ages = [0, 9_900, 99_999, 100_000, 5_999_999, 6_000_000, 359_999_999, 360_000_000];
  expect(ages.map(ago)).toEqual([
    "0 s ago",
    "9 s ago",
    "99 s ago",
    "1 min ago",
    "99 min ago",
    "1 h ago",
    "99 h ago",
    "4 d ago",
  ]);
});
