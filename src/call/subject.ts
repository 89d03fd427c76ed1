/**
 * One object for one set of values: what is derived from a subject, its names in the ledger above all, is derived once.
 */
import type { Subject } from "./call.ts";

/** Values come from callers: enough for those of any one moment, and no more. */
const MOST_KNOWN = 1_000;
const known = new Map<string, Subject>();

/** The subject with these values; the same object as before where it is known. */
export function subjectOf(values: Readonly<Record<string, string>>, model: string, provider: string): Subject {
  // Values hold no control characters, so that nothing runs together.
  let key = `${provider}\0${model}`;
  for (const [name, value] of Object.entries(values)) key += `\0${name}\0${value}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const subject: Subject = Object.freeze({ ...values, model, provider });
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, subject);
  return subject;
}
