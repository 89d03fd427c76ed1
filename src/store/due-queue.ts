interface Entry {
  readonly key: string;
  readonly due: number;
}

/**
 * Keys by the time at which something is due: a binary heap whose stale entries are dropped when they come to the top,
 * so that renewing a key costs nothing.
 */
export class DueQueue {
  readonly #heap: Entry[] = [];
  /** The due time now, and the one under which the key waits in the heap. */
  readonly #keys = new Map<string, { due: number; queued: number }>();

  /** Sets or renews the due time (ms since 1970) of a key; null: never. */
  set(key: string, due: number | null): void {
    if (due === null) {
      this.#keys.delete(key);
      return;
    }
    const known = this.#keys.get(key);
    if (known !== undefined && known.queued <= due) {
      known.due = due;
      return;
    }
    this.#keys.set(key, { due, queued: due });
    this.#push({ key, due });
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }

  /** At most `limit` keys due at `now`, earliest first, then by key. They stay until deleted or renewed. */
  due(now: number, limit: number): readonly Entry[] {
    const found: Entry[] = [];
    while (found.length < limit) {
      const top = this.#heap[0];
      if (top === undefined || top.due > now) break;
      this.#pop();
      const known = this.#keys.get(top.key);
      if (known === undefined || known.queued !== top.due) continue;
      if (known.due > top.due) {
        known.queued = known.due;
        this.#push({ key: top.key, due: known.due });
      } else if (found.at(-1)?.key !== top.key) {
        found.push(top);
      }
    }
    for (const entry of found) this.#push(entry);
    return found;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !before(entry, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const down = right !== undefined && left !== undefined && before(right, left) ? 2 * at + 2 : 2 * at + 1;
      const child = heap[down];
      if (child === undefined || !before(child, last)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}

const before = (a: Entry, b: Entry): boolean => a.due < b.due || (a.due === b.due && a.key < b.key);
