/**
 * Scope values as `pause` and `resume` take them: `tenant=acme feature=research`, or `global`.
 * @module
 */
import { clean } from "../call/identity.ts";
import { asCounted, type Scope } from "../gates.ts";
import { usageError } from "./exit.ts";

/** The scope that these words name, as calls count by it; empty for `global`. */
export function readScope(words: readonly string[], verb: string): Scope {
  const scope: Record<string, string> = {};
  for (const word of words) {
    if (word === "global") {
      if (words.length > 1) throw usageError("global stands alone: it is every call.", verb);
      return {};
    }
    const cut = word.indexOf("=");
    const name = word.slice(0, cut);
    const value = clean(word.slice(cut + 1));
    if (cut < 1 || value === null) {
      const guess = cut < 0 ? `tenant=${word}` : `${name === "" ? "tenant" : name}=acme`;
      throw usageError(`"${word}" is not SCOPE=VALUE. Write it like \`budget-guard ${verb} ${guess}\`.`, verb);
    }
    if (name in scope) throw usageError(`${name} is named twice; ${verb} one after the other.`, verb);
    scope[name] = value;
  }
  return asCounted(scope);
}
