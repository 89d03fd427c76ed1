/**
 * Calls in the order in which they were made, each once, from logs that are written when calls end.
 * In: calls as they are read. Out: the same, sorted within a window that bounds the memory.
 * @module
 */
import { TimeQueue } from "./heap.ts";
import type { Recorded } from "./recorded.ts";

/** Calls that wait to be sorted: five minutes at 67 calls a second. */
export const WINDOW = 20_000;
/** Identities that are remembered twice over, so that a duplicate is known for at least so many calls. */
const REMEMBERED = 200_000;

export class Order {
  readonly #queue = new TimeQueue<Recorded>();
  readonly #seen = new Remembered();
  /** Spans that hold the span of a call: where they tell of a call too, it is the same one, seen from further out. */
  readonly #parents = new Remembered();
  readonly #window: number;
  #last = Number.NEGATIVE_INFINITY;
  duplicates = 0;
  /** Spans around the span of a call: one call, told twice. */
  doubles = 0;
  /** Calls that came later than the window could mend. */
  late = 0;

  constructor(window = WINDOW) {
    this.#window = window;
  }

  /** Takes a call; hands out those whose turn has come. */
  push(recorded: Recorded): readonly Recorded[] {
    if (!this.#seen.add(recorded.id)) {
      this.duplicates += 1;
      return [];
    }
    if (recorded.parent !== null) this.#parents.add(recorded.parent);
    this.#queue.push(recorded.at, recorded);
    return this.#queue.size > this.#window ? this.#next() : [];
  }

  /** The rest, in order. */
  *end(): Generator<Recorded> {
    while (this.#queue.size > 0) yield* this.#next();
  }

  #next(): readonly Recorded[] {
    const first = this.#queue.pop()?.value;
    if (first === undefined) return [];
    if (!first.guarded && this.#parents.has(first.id)) {
      this.doubles += 1;
      return [];
    }
    if (first.at < this.#last) this.late += 1;
    else this.#last = first.at;
    return [first];
  }
}

/** The names that were told last: at least `REMEMBERED` of them, at most twice as many. */
class Remembered {
  #now = new Set<string>();
  #before = new Set<string>();

  has(name: string): boolean {
    return this.#now.has(name) || this.#before.has(name);
  }

  /** False where it is known. */
  add(name: string): boolean {
    if (this.has(name)) return false;
    if (this.#now.size >= REMEMBERED) {
      this.#before = this.#now;
      this.#now = new Set();
    }
    this.#now.add(name);
    return true;
  }
}
