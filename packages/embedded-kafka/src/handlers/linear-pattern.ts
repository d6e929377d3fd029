/**
 * Regular expressions whose search takes time in proportion to the text, whatever the pattern: Apache Kafka looks for ids with
 * RE2/J, and a search that backtracks can be made to run for ever. All states of Thompson's automaton are followed at once.
 * The syntax is RE2's without flags, Unicode classes and word boundaries: https://github.com/google/re2/wiki/Syntax
 */

/** What can't be compiled, or would be too large. */
export class PatternError extends Error {
  override readonly name = "PatternError";
  readonly code = "BROKER_BAD_PATTERN";
}

type CharTest = (char: string) => boolean;

type State =
  | { readonly kind: "char"; readonly test: CharTest; readonly to: State }
  | { readonly kind: "split"; readonly to: State[] }
  | { readonly kind: "begin" | "end"; readonly to: State }
  | { readonly kind: "match" };

/** A part of a pattern: makes its states before those that follow it. */
type Part = (next: State) => State;

/** RE2's own limits: repetitions are written out. */
const REPEAT_MAX = 1000;
const STATES_MAX = 100_000;

const isDigit: CharTest = (char) => char >= "0" && char <= "9";
const isWord: CharTest = (char) => /^[0-9A-Za-z_]$/.test(char);
const isSpace: CharTest = (char) => "\t\n\f\r ".includes(char);
const not =
  (test: CharTest): CharTest =>
  (char) =>
    !test(char);
const CLASSES: Readonly<Record<string, CharTest>> = {
  ...{ d: isDigit, w: isWord, s: isSpace },
  ...{ D: not(isDigit), W: not(isWord), S: not(isSpace) },
};
const CONTROLS: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v", a: "\x07" };
const NAMED_GROUP = /^\?(?:P?<[A-Za-z_][A-Za-z0-9_]*>|:)/;
const REPETITION = /^\{(\d+)(,?)(\d*)\}/;

/** @throws PatternError */
export function linearPattern(pattern: string): (text: string) => boolean {
  const start = new Compiler(pattern).compile();
  return (text) => fits(start, [...text]);
}

class Compiler {
  readonly #pattern: string;
  readonly #chars: readonly string[];
  #at = 0;
  #states = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#chars = [...pattern];
  }

  compile(): State {
    const whole = this.#alternatives();
    if (this.#at < this.#chars.length) throw this.#error("an unexpected )");
    return whole({ kind: "match" });
  }

  #error(what: string): PatternError {
    return new PatternError(`${what} at ${this.#at} of the pattern ${this.#pattern}`);
  }

  #made<S extends State>(state: S): S {
    if (++this.#states > STATES_MAX) throw this.#error("too many repetitions");
    return state;
  }

  #take(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #next(): string {
    const char = this.#chars[this.#at];
    if (char === undefined) throw this.#error("an end");
    this.#at += 1;
    return char;
  }

  #alternatives(): Part {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    return (next) => this.#made({ kind: "split", to: parts.map((part) => part(next)) });
  }

  #sequence(): Part {
    const parts: Part[] = [];
    for (let char = this.#chars[this.#at]; char !== undefined && char !== "|" && char !== ")"; ) {
      parts.push(this.#repeated(this.#atom()));
      char = this.#chars[this.#at];
    }
    return (next) => parts.reduceRight((after, part) => part(after), next);
  }

  #atom(): Part {
    const char = this.#next();
    switch (char) {
      case "(": {
        const rest = this.#chars.slice(this.#at).join("");
        if (rest.startsWith("?")) {
          const [opening] = NAMED_GROUP.exec(rest) ?? [];
          if (opening === undefined) throw this.#error("an unknown kind of group");
          this.#at += opening.length;
        }
        const inner = this.#alternatives();
        if (!this.#take(")")) throw this.#error("a missing )");
        return inner;
      }
      case "[":
        return this.#char(this.#class());
      case ".":
        return this.#char((one) => one !== "\n");
      case "^":
        return (to) => this.#made({ kind: "begin", to });
      case "$":
        return (to) => this.#made({ kind: "end", to });
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw this.#error("nothing to repeat");
      default:
        return this.#char((one) => one === char);
    }
  }

  #escape(): Part {
    if (this.#take("A")) return (to) => this.#made({ kind: "begin", to });
    if (this.#take("z")) return (to) => this.#made({ kind: "end", to });
    const escaped = this.#escaped();
    return this.#char(typeof escaped === "string" ? (one) => one === escaped : escaped);
  }

  /** A class, or the one character that is meant. */
  #escaped(): CharTest | string {
    const char = this.#next();
    const known = CLASSES[char] ?? CONTROLS[char];
    if (known !== undefined) return known;
    if (/^[0-9A-Za-z]$/.test(char)) throw this.#error(`an unknown escape \\${char}`);
    return char;
  }

  #char(test: CharTest): Part {
    return (to) => this.#made({ kind: "char", test, to });
  }

  #class(): CharTest {
    const isNegated = this.#take("^");
    const tests: CharTest[] = [];
    for (let isFirst = true; isFirst || !this.#take("]"); isFirst = false) {
      const from = this.#take("\\") ? this.#escaped() : this.#next();
      const isRange = this.#chars[this.#at] === "-" && this.#chars[this.#at + 1] !== "]";
      if (typeof from !== "string" || !isRange) {
        tests.push(typeof from === "string" ? (char) => char === from : from);
        continue;
      }
      this.#at += 1;
      const to = this.#take("\\") ? this.#escaped() : this.#next();
      if (typeof to !== "string" || codeOf(to) < codeOf(from)) throw this.#error("a bad range");
      tests.push((char) => codeOf(from) <= codeOf(char) && codeOf(char) <= codeOf(to));
    }
    return (char) => tests.some((test) => test(char)) !== isNegated;
  }

  #repeated(part: Part): Part {
    const [least, most] = this.#repetition();
    this.#take("?"); // as few as possible or as many: the same texts fit
    const isRepeatedAgain = /^[*+?]/.test(this.#chars[this.#at] ?? "");
    if (isRepeatedAgain) throw this.#error("a repetition of a repetition");
    if (most < least || least > REPEAT_MAX || (most !== Number.POSITIVE_INFINITY && most > REPEAT_MAX)) {
      throw this.#error("a bad repetition");
    }
    return (next) => {
      let state = next;
      if (most === Number.POSITIVE_INFINITY) {
        const loop = this.#made<State & { kind: "split" }>({ kind: "split", to: [] });
        loop.to.push(part(loop), next);
        state = loop;
      } else {
        for (let left = most - least; left > 0; left--) {
          state = this.#made({ kind: "split", to: [part(state), next] });
        }
      }
      for (let left = least; left > 0; left--) state = part(state);
      return state;
    };
  }

  #repetition(): readonly [number, number] {
    if (this.#take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#take("?")) return [0, 1];
    // A { that begins no repetition is a character like any other.
    const found = REPETITION.exec(this.#chars.slice(this.#at).join(""));
    if (found === null) return [1, 1];
    const [whole, least, comma, most] = found;
    this.#at += whole.length;
    if (comma === "") return [Number(least), Number(least)];
    return [Number(least), most === "" ? Number.POSITIVE_INFINITY : Number(most)];
  }
}

const codeOf = (char: string): number => char.codePointAt(0) ?? 0;

/** Whether the whole text fits. */
function fits(start: State, text: readonly string[]): boolean {
  let states = closure([start], 0, text.length);
  for (const [index, char] of text.entries()) {
    const after = [...states].flatMap((state) =>
      state.kind === "char" && state.test(char) ? [state.to] : [],
    );
    if (after.length === 0) return false;
    states = closure(after, index + 1, text.length);
  }
  return [...states].some(({ kind }) => kind === "match");
}

/** All states that are reached without a character. */
function closure(from: readonly State[], at: number, length: number): Set<State> {
  const reached = new Set<State>();
  const open = [...from];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (reached.has(state)) continue;
    reached.add(state);
    if (state.kind === "split") open.push(...state.to);
    if ((state.kind === "begin" && at === 0) || (state.kind === "end" && at === length)) open.push(state.to);
  }
  return reached;
}
