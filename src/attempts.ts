/**
 * Names of attempts, by which holds and bills are told apart.
 * @module
 */
import { randomBytes } from "node:crypto";

/** Names that no other process gives, and short: a ledger in this process keeps each for hours. */
export function attemptNames(): () => string {
  const own = randomBytes(12).toString("base64url");
  let count = 0;
  return () => {
    count += 1;
    // Joined, it is one text in memory; a template would keep its pieces.
    return [own, count.toString(36)].join(".");
  };
}
