/** A record in a queue, which keeps these for it. */
export interface Dated {
  readonly key: string;
  /** When something is due, ms since 1970; infinite: never. */
  due: number;
  /** Where it stands in the queue's heap; -1: not in it. */
  at: number;
}

/**
 * Records by the time at which something is due: a binary heap whose records know their places in it, so that what is
 * renewed or deleted leaves nothing behind. A ledger in this process keeps one for every call of the last hours.
 */
export class DueQueue<Entry extends Dated> {
  readonly #heap: Entry[] = [];

  /** Sets or renews when the record is due. */
  set(entry: Entry, due: number): void {
    entry.due = due;
    if (due === Number.POSITIVE_INFINITY) this.delete(entry);
    else this.#sink(this.#rise(entry, entry.at < 0 ? this.#heap.length : entry.at));
  }

  delete(entry: Entry): void {
    const { at } = entry;
    if (at < 0) return;
    entry.at = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#sink(this.#rise(last, at));
  }

  /** At most `limit` records due at `now`, earliest first, then by key. They stay until deleted or renewed. */
  due(now: number, limit: number): readonly Entry[] {
    const found: Entry[] = [];
    while (found.length < limit) {
      const [top] = this.#heap;
      if (top === undefined || top.due > now) break;
      this.delete(top);
      found.push(top);
    }
    for (const entry of found) this.set(entry, entry.due);
    return found;
  }

  /** Puts the record at `at`, or above it where it is due before those there. */
  #rise(entry: Entry, at: number): Entry {
    const heap = this.#heap;
    let place = at;
    while (place > 0) {
      const parent = heap[(place - 1) >> 1];
      if (parent === undefined || !before(entry, parent)) break;
      this.#put(parent, place);
      place = (place - 1) >> 1;
    }
    this.#put(entry, place);
    return entry;
  }

  /** Moves the record below those that are due before it. */
  #sink(entry: Entry): void {
    const heap = this.#heap;
    let place = entry.at;
    for (;;) {
      const left = heap[2 * place + 1];
      const right = heap[2 * place + 2];
      const child = left !== undefined && right !== undefined && before(right, left) ? right : left;
      if (child === undefined || !before(child, entry)) break;
      const down = child.at;
      this.#put(child, place);
      place = down;
    }
    this.#put(entry, place);
  }

  #put(entry: Entry, place: number): void {
    this.#heap[place] = entry;
    entry.at = place;
  }
}

const before = (a: Dated, b: Dated): boolean => a.due < b.due || (a.due === b.due && a.key < b.key);
