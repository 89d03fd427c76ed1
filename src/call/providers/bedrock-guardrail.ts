/**
 * Guardrails of Amazon Bedrock, which cost by the policy and text unit of up to 1,000 characters beside the model
 * (aws.amazon.com/bedrock/pricing). What was checked is told to those who ask for a trace, and by ApplyGuardrail.
 */
import { Gathering } from "../gather.ts";
import { count, type Fields, fields, list, undecoded } from "../json.ts";
import { NOTHING_ASKED, NOTHING_TOLD, type RequestFacts, type UsageReader } from "../provider.ts";
import { usage } from "../usage.ts";

/** The name under which its prices are kept. */
export const GUARDRAIL = "guardrail";

/** What a text unit, or a picture, costs with each policy, in units of $0.05 a thousand; words and patterns are free. */
const WEIGHTS: Readonly<Record<string, number>> = {
  contentPolicyUnits: 3,
  topicPolicyUnits: 3,
  sensitiveInformationPolicyUnits: 2,
  contextualGroundingPolicyUnits: 2,
  // $0.17.
  automatedReasoningPolicyUnits: 4,
  contentPolicyImageUnits: 15,
};

/** The units of one count of policies. */
const unitsOf = (told: Fields): number =>
  Object.entries(WEIGHTS).reduce((sum, [policy, weight]) => sum + count(told[policy]) * weight, 0);

/** The units of all assessments in a trace, wherever they stand in it; 0 where there is none. */
export function guardrailUnits(trace: unknown): number {
  if (Array.isArray(trace)) return list(trace).reduce<number>((sum, item) => sum + guardrailUnits(item), 0);
  const here = fields(trace);
  if (here === null) return 0;
  const told = fields(fields(here.invocationMetrics)?.usage);
  if (told !== null) return unitsOf(told);
  return Object.values(here).reduce<number>((sum, item) => sum + guardrailUnits(item), 0);
}

/** Characters of a text unit, and the policies that a guardrail is taken to have: the four dearest for text. */
const TEXT_UNIT = 1_000;
const POLICIES = 10;

/** What a request to ApplyGuardrail says. */
export function readGuarding(json: unknown): RequestFacts {
  const body = fields(json) ?? {};
  const all = new Gathering();
  let pictures = 0;
  const lastMessage = all.listen(() => {
    for (const item of list(body.content).map(fields)) {
      all.text(fields(item?.text)?.text);
      const image = fields(item?.image);
      if (image === null) continue;
      pictures += 1;
      // Billed by the piece, whatever its size.
      all.media(0, undecoded(fields(image.source)?.bytes) ?? "");
    }
  });
  const texts = Math.max(1, Math.ceil(all.textBytes / TEXT_UNIT));
  return {
    ...NOTHING_ASKED,
    model: GUARDRAIL,
    textBytes: all.textBytes,
    units: { guardrailUnits: texts * POLICIES + pictures * (WEIGHTS.contentPolicyImageUnits ?? 0) },
    outputTokens: 0,
    lastMessage,
  };
}

/** What an answer of ApplyGuardrail says was checked; one that has only free policies costs nothing. */
export function guardingReader(): UsageReader {
  let units: number | null = null;
  return {
    take(json) {
      const told = fields(fields(json)?.usage);
      if (told !== null) units = unitsOf(told);
    },
    facts: () => ({
      ...NOTHING_TOLD,
      portions: units === null ? [] : [{ model: null, usage: usage({ units: { guardrailUnits: units } }) }],
    }),
  };
}
