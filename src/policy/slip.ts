/**
 * What is meant by those who write a rule as other languages do: the parser's place of giving up, put into words.
 * In: the words of a rule and where it broke. Out: a sentence with its help, or null where it is none of that.
 * @module
 */
import { closest } from "./suggest.ts";
import type { Token } from "./tokens.ts";
import { actions, isOneOf, keywords, metrics, scopes, windows } from "./vocabulary.ts";

/** What is said instead of "was not expected here", and the fix. */
export interface Slip {
  readonly message: string | null;
  readonly help: string;
}

/** A broken rule around the word at which it broke. */
interface Break {
  readonly tokens: readonly Token[];
  readonly index: number;
  readonly text: string;
  readonly before: string;
  readonly next: string;
  readonly part: "threshold" | "filter" | "action";
}

type Rule = (at: Break) => Slip | null;

/** The slip at the token with this index; null for a mistake that is nobody's habit. */
export function slipAt(tokens: readonly Token[], index: number): Slip | null {
  const word = (at: number): string => tokens[at]?.text ?? "";
  const before = tokens.slice(0, index);
  const part = before.some(({ text }) => text === "->" || text === "=>")
    ? "action"
    : before.some(({ text }) => text === "when")
      ? "filter"
      : "threshold";
  const at: Break = { tokens, index, text: word(index), before: word(index - 1), next: word(index + 1), part };
  for (const rule of [anywhere, ...(index <= 1 ? [beginning] : []), parts[part]]) {
    const found = rule(at);
    if (found !== null) return found;
  }
  return null;
}

const help = (text: string, message: string | null = null): Slip => ({ message, help: text });

const isAmount = (text: string): boolean => /^[$€£]?\d/.test(text);
const isQuote = (text: string): boolean => text === "'" || text === "`";
const isAction = (text: string): boolean => isOneOf(actions, text) || closest(text, actions) !== null;

const anywhere: Rule = ({ text, next, before, tokens, index }) => {
  const joined = text + next;
  if (joined.startsWith("//") || joined.startsWith("/*") || (joined === "--" && tokens[index + 2]?.text !== ">")) {
    return help("write `# a comment`", "a comment begins with `#`");
  }
  const lower = text.toLowerCase();
  if (lower !== text && keywords.has(lower))
    return help(`write \`${lower}\``, "words of the language are in lower case");
  if (text === ";") return help("begin a new line; a statement ends at the end of its line", "`;` ends nothing here");
  if (isQuote(text) && /^(?:==|!=|=|matches|in|\[|,|deny|pause|warn|to)$/.test(before)) {
    const end = tokens.findIndex((token, at) => at > index && isQuote(token.text));
    const words = tokens.slice(index + 1, end === -1 ? index + 2 : end).map((token) => token.text);
    return help(`write \`"${words.join(" ")}"\``, "a text stands in double quotes");
  }
  if (["{", "}"].includes(text)) {
    return help("write each rule on one line: `tenant.daily > $5 -> deny`", "a rule has no braces");
  }
  return null;
};

/** Words that begin other statements, or nothing. */
const beginning: Rule = ({ tokens, index }) => {
  const [first, second] = tokens;
  if (first === undefined) return null;
  const { text } = first;
  if (text === "-" || text === "*")
    return help("begin with the subject: `tenant.daily > $5 -> deny`", "a policy has no list marks");
  if (first.kind === "string" && second?.text === ":")
    return help(`write \`${bare(text)}:\``, "a label stands without quotes");
  if (index === 0) {
    const continues = /^(?:->|=>|and|or|&&|\|\||,|else)$/.test(text);
    return continues ? help("indent it", "this line goes on with the one above") : null;
  }
  if (["test", "given", "expect", "call"].includes(text) && second?.text !== ">") {
    return help("move it to a `*.test.budget` file", "tests stand in files of their own");
  }
  if (["var", "let", "const", "set", "define", "def"].includes(text)) {
    return help(
      "name an amount with `budget b = $5 of tenant.daily`, or a table with `limit`",
      "there are no variables",
    );
  }
  if (second?.kind !== "word" || !/^[a-z]/i.test(second.text)) return null;
  if (tokens[2]?.text === ":") return help(`write \`${text}-${second.text}:\``, "a label is one word");
  if (isOneOf(scopes, text) && (isOneOf(windows, second.text) || isMetric(second.text))) {
    return help(`write \`${text}.${second.text}\``, "the words of a subject are joined with dots");
  }
  return second.text.includes(".") ? help(`write \`${text}: ${second.text}\``, "a label ends with a colon") : null;
};

const isMetric = (word: string): boolean => [...metrics.keys()].some((metric) => metric === word);

const threshold: Rule = ({ tokens, index, text, before, next }) => {
  const subject = tokens[0]?.text ?? "tenant.daily";
  const [, second, third] = tokens;
  if ((second?.text === "=" || second?.text === "==") && third !== undefined && !isAmount(third.text)) {
    const value = third.kind === "string" ? third.text : `"${third.text}"`;
    return help(`write \`when ${subject} == ${value}\``, "a filter begins with `when`");
  }
  if (/^(?:where|if|for|provided|only|while|with|on)$/.test(text)) {
    return help('write `when feature == "chat"`', "a filter begins with `when`");
  }
  if (text === "unless" || text === "except")
    return help('write `when tenant != "internal"`', "a filter begins with `when`");
  if (/^(?:then|:|→|⇒|=|do|therefore)$/.test(text) || (/^[-—–]$/.test(text) && /^-?>$/.test(next))) {
    return help("write `->`", "the arrow is `->`");
  }
  if (text === ",") return help("join thresholds with `and`; a comma joins actions");
  if (/^(?:[<>]=?|=)$/.test(text) && /^(?:and|&&)$/.test(before)) {
    return text.startsWith("<")
      ? help("delete it: a rule fires above one amount", "a rule has no upper end")
      : help(`name the subject again: \`${subject} ${text} …\``);
  }
  if (text === "->" && /^(?:and|&&)$/.test(before)) return help("name a second threshold, or delete the `and`");
  if (/^\$?\d+(?:\.\d+)?e\d+$/i.test(text))
    return help("write plain digits, or `1K`, `2M`", "a number has no exponent");
  if (text === "->" && /^[<>]=?$/.test(before)) return help(`write \`${subject} > $5\``, "how much may it be?");
  if (/^(?:exceeds|exceed|above|over|reaches|greater|more|gt|gte|≥|is|beyond|past)$/.test(text))
    return help("write `>`");
  if (/^[<>]=?$/.test(text) && /^[<>]=?$/.test(before)) return help("write `>` or `>=`", "one sign is enough");
  if (isAmount(text) && index === 1) return help(`write \`${subject} > ${text}\``);
  if (/^([$€£]|usd|eur|dollars?|euros?|cents?)$/i.test(text) && isAmount(before)) {
    return help(`money is in US dollars: write \`$${before.replace(/^[$€£]/, "")}\``);
  }
  if (text === "$") return help(`write \`$${next}\``, "`$` stands right before its number");
  if (/^\$?\.\d/.test(text)) return help(`write \`${text.replace(".", "0.")}\``, "a number begins with a digit");
  if (/^[KMB]$/i.test(text) && isAmount(before)) {
    return help(`write \`${before}${text.toUpperCase()}\``, `\`${text}\` stands right behind its number`);
  }
  if (text === "per" || text === "a" || text === "every") return perTime(subject, before, next);
  if (isOneOf(actions, text) && isAmount(before)) return help(`write \`-> ${text}\``, "the arrow is missing");
  return overTime(text, before, next, tokens);
};

/** `$50 per day`. */
function perTime(subject: string, before: string, next: string): Slip {
  const window = closest(next, windows) ?? "daily";
  const path = subject.split(".").filter((word) => !isOneOf(windows, word));
  return help(`write \`${[...path, window].join(".")}${isAmount(before) ? ` > ${before}` : ""}\``);
}

const spans: readonly (readonly [RegExp, string])[] = [
  [/^(?:s|secs?|seconds?)$/, "s"],
  [/^(?:m|mins?|minutes?)$/, "m"],
  [/^(?:h|hrs?|hours?)$/, "h"],
  [/^(?:d|days?)$/, "d"],
  [/^(?:w|weeks?)$/, "w"],
];

/** `last hour`, `last 1 hour`, `in last 1h`, `tenant.last 1h`. */
function overTime(text: string, before: string, next: string, tokens: readonly Token[]): Slip | null {
  const unit = spans.find(([pattern]) => pattern.test(text))?.[1];
  const rolling = "a rolling window is written `last 1h`";
  if (unit !== undefined && before === "last") return help(`write \`last 1${unit}\``, rolling);
  if (unit !== undefined && /^\d+$/.test(before)) return help(`write \`last ${before}${unit}\``, rolling);
  const subject = tokens[0]?.text.replace(/\.last$/, "") ?? "tenant";
  if (text === "in" || text === "over" || text === "during") return help(`write \`${subject} last 1h\``, rolling);
  if (text.endsWith(".last")) return help(`write \`${subject} last ${next}\``, rolling);
  if ((text === "[" || text === "(") && next.startsWith('"'))
    return help(`write \`when ${before.split(".")[0] ?? "tenant"} == ${next}\``, "a subject counts each one by itself");
  if (text.includes("/"))
    return help(`write \`${text.replaceAll("/", ".")}\``, "the words of a subject are joined with dots");
  return null;
}

const filter: Rule = ({ tokens, index, text, before, next }) => {
  const dimension = tokens[tokens.findIndex((token) => token.text === "when") + 1]?.text ?? "feature";
  if (before === "is" && (text.startsWith('"') || /^(?:not|null|none|empty|undefined|absent|unset)$/.test(text))) {
    if (text.startsWith('"')) return help(`write \`${subjectOf(tokens, index)} == ${text}\``);
    return text === "not"
      ? help(`write \`not ${subjectOf(tokens, index)} is ${next === "missing" ? next : "missing"}\``)
      : help(`write \`${subjectOf(tokens, index)} is missing\``);
  }
  if (text === "->" && before === "when")
    return help('say whose calls: `when feature == "chat"`', "this filter is empty");
  if (text === "->" && isOpen(tokens.slice(0, index))) return help("close it with `)`", "a parenthesis is still open");
  if (text === "->" && /^(?:and|or|not|&&|\|\||!)$/.test(before)) {
    return help(`name what follows \`${before}\`, or delete it: \`feature == "chat"\``, "a comparison is missing here");
  }
  if (text === "]" && before === "[") return help('name at least one value: `in ["chat"]`');
  if (text === "->" && /^\w/.test(before)) return help(`compare it: \`${before} == "…"\`, or \`${before} is missing\``);
  const [dimensionBefore, , valueBefore] = tokens.slice(Math.max(0, index - 4), index - 1);
  if (text.startsWith('"') && /^(?:or|\|\|)$/.test(before) && valueBefore?.text.startsWith('"') === true) {
    return help(
      `write \`${dimensionBefore?.text ?? dimension} in [${valueBefore.text}, ${text}]\``,
      "several values stand in a list",
    );
  }
  if (before === "in") return help('write `in ["chat", "search"]`', "the values of `in` stand in brackets");
  if (text === "not" && next === "in") return help(`write \`not ${before} in [...]\``);
  if (/^(?:contains|like|starts_with|startsWith|starts|ends|endsWith|includes|has|=~|~|glob|regex)$/.test(text)) {
    return help(`write \`${before} matches "chat*"\`; \`*\` stands for any letters`);
  }
  if (/^[a-z]/i.test(text) && /^(?:matches|==|!=|=|\[|,)$/.test(before)) {
    return help(`write \`"${text}"\``, "a text stands in double quotes");
  }
  if (isOneOf(actions, text)) return help(`write \`-> ${text}\``, "the arrow is missing");
  if (/^(?:then|:|→|⇒)$/.test(text)) return help("write `->`", "the arrow is `->`");
  if (text === ",") return help(`join with \`and\` or \`or\`: \`${dimension} == "a" or ${dimension} == "b"\``);
  return text === ")" ? help("delete it", "this parenthesis was never opened") : null;
};

function isOpen(tokens: readonly Token[]): boolean {
  const count = (sign: string): number => tokens.filter(({ text }) => text === sign).length;
  return count("(") > count(")");
}

const subjectOf = (tokens: readonly Token[], index: number): string => tokens[index - 2]?.text ?? "feature";

const action: Rule = ({ tokens, index, text, before, next }) => {
  if (text === "->" || text === "=>") return help("join actions with a comma: `-> warn, deny`", "a rule has one arrow");
  if (text === "when")
    return help('a filter stands before the arrow: `tenant.daily > $5 when feature == "chat" -> deny`');
  if (/^(?:and|&&|&|\+|then|also|or|\|\|)$/.test(text)) return help("join actions with a comma: `-> warn, deny`");
  if (text === "for") {
    if (before === "deny") return help("write `deny for 10m`", "`deny for` does not say how long");
    if (before === "hold" || before === "backoff") return help(`write \`${before} ${next === "" ? "30s" : next}\``);
    if (before === "pause") return help("write `deny for 10m`; a `pause` lasts until someone resumes");
  }
  if (/^\d/.test(text)) {
    if (before === "deny") return help(`write \`deny for ${text}\``);
    if (before === "pause") return help(`write \`deny for ${text}\`; a \`pause\` lasts until someone resumes`);
    if (tokens[index - 2]?.text === "cap") return help(`write \`cap ${text} tokens\``);
    if (before === "->") return help("write `deny`: what is refused is answered with 402", "an action is a word");
  }
  if (text === "to" && before === "route") {
    return help(
      next === "" ? 'write `route to "claude-haiku-4-5"`' : `write \`route to "${next}"\``,
      "the model stands in double quotes",
    );
  }
  if (before === "shadow")
    return help("write `shadow tenant.daily > $5 -> deny`", "`shadow` stands at the beginning of its rule");
  if (/^(?:\d+[a-z]+){2,}$/.test(text)) return help("write one number: `36h`, `90m`", "a duration has one unit");
  const spelled = spans.find(([pattern]) => pattern.test(text))?.[1];
  if (spelled !== undefined && /^\d+$/.test(before)) return help(`write \`${before}${spelled}\``);
  if (text === "per")
    return help("delete it: `cap` limits each call, and windows stand in the subject: `tenant.daily`");
  if (text.startsWith('"') && /^(?:allow|local|tokens|\d.*|".*)$/.test(before)) {
    return help("delete it: only `deny`, `pause` and `warn` take a message");
  }
  if (text.startsWith('"') && (before === "->" || before === ","))
    return help(`write \`${bare(text)}\``, "an action stands without quotes");
  if (/^(?:with|because|saying|message|as|:|\(|=)$/.test(text)) {
    return help(`write \`${before} "too much"\``, "a message follows its action in double quotes");
  }
  return isAction(text) ? help(`write \`${before}, ${text}\``, "actions are joined with commas") : null;
};

const parts: Readonly<Record<Break["part"], Rule>> = { threshold, filter, action };

const bare = (text: string): string => text.replaceAll('"', "");
