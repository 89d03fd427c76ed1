/**
 * Names of models on Amazon Bedrock: `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, bare, behind a region, in an ARN, and
 * URL-encoded in an address.
 */
import { text } from "../json.ts";

/** Whose models Bedrock serves; the name of a model begins with its maker and a dot. */
const MAKERS =
  "ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|stability|twelvelabs|writer|xai|zai";

/** A region (`us.`, `eu.`, `apac.`, `us-gov.`, `global.`), a maker and a name. */
const NAME = new RegExp(`^(?:([a-z][a-z-]{1,7})\\.)?((${MAKERS})\\.([a-z0-9].*))$`);

/** The model in an address like `/model/ID/converse`; null where it names none. An id may be an ARN with slashes. */
export function modelInPath(path: string): string | null {
  const query = path.indexOf("?");
  const whole = query < 0 ? path : path.slice(0, query);
  const start = whole.indexOf("/model/");
  const end = whole.lastIndexOf("/");
  const from = start + "/model/".length;
  if (start < 0 || end <= from) return null;
  return text(withoutArn(decoded(whole.slice(from, end))));
}

/**
 * The name that an ARN ends in, without account and region: `inference-profile/us.anthropic.claude-...` names its model,
 * `application-inference-profile/x1y2z3` hides it and keeps its kind before its id.
 */
export function withoutArn(name: string): string {
  if (!name.startsWith("arn:")) return name;
  // arn:partition:service:region:account:resource, and the resource may hold colons.
  const resource = name.split(":").slice(5).join(":");
  const id = resource.slice(resource.lastIndexOf("/") + 1);
  return NAME.test(id) && NAMING.test(resource) ? id : resource;
}

const NAMING = /^(inference-profile|foundation-model)\//;

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Whether the name itself says which model answers; a profile of the account, a router or a custom model does not. */
export const tellsModel = (name: string): boolean => NAME.test(name);

/** The name without region, maker and version: `claude-sonnet-4-5-20250929`. Null where it is no name of Bedrock's. */
export function plainName(name: string): string | null {
  const match = NAME.exec(name);
  const rest = match?.[4];
  if (match === null || rest === undefined) return null;
  // `:0`, and `:0:48k` for a certain context.
  const open = rest.replace(/:\d+(?::[a-z0-9]+)?$/, "");
  // A version stays where it tells models apart: titan-embed-text-v2, but claude-3-5-sonnet-20241022-v2 has a date.
  if (match[3] === "openai") return open.replace(/^(gpt-oss-.*\d+b)-1$/, "$1");
  return open.replace(/-v1$/, "").replace(/(-20\d{6})-v\d+$/, "$1");
}

/** Who made a model, and what it is called there: `cohere.embed-v4:0` is embed-v4.0 of Cohere. Empty for other names. */
export function madeBy(name: string): readonly { readonly name: string; readonly provider: string }[] {
  const [, , , maker, rest] = NAME.exec(name) ?? [];
  const plain = plainName(name);
  if (maker === undefined || rest === undefined || plain === null) return [];
  return [plain, rest.replace(":", ".")].map((known) => ({ name: known, provider: maker }));
}

/**
 * The names under which the price table may have a model, the surest first: it lists some with a region only, some
 * without, and gpt-oss with its version only.
 */
export function pricedNames(name: string): readonly string[] {
  const bare = NAME.exec(name)?.[2];
  if (bare === undefined) return [name];
  const versioned = /^openai\.gpt-oss-.*\d+b$/.test(bare) ? `${bare}-1:0` : bare;
  return [...new Set([name, versioned, `us.${bare}`])];
}
