/**
 * Did you mean: the nearest word that would have been right.
 * @module
 */
import { synonyms } from "./vocabulary.ts";

/**
 * The candidate that was probably meant: a known synonym, else the nearest by letters (at most a third of them wrong),
 * else null. Ties go to the first candidate.
 */
export function closest(word: string, candidates: Iterable<string>): string | null {
  const all = [...candidates];
  const lower = word.toLowerCase();
  const synonym = synonyms.get(lower);
  if (synonym !== undefined && all.includes(synonym)) return synonym;
  let best: string | null = null;
  let least = Math.floor(word.length / 3) + 1;
  for (const candidate of all) {
    // Only the case is wrong: that is never a coincidence, however short the word.
    if (candidate.toLowerCase() === lower) return candidate;
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Damerau-Levenshtein distance (adjacent letters swapped count once), in edits. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
