/**
 * Fireworks: OpenAI's dialect under `/inference/v1`, models named `accounts/fireworks/models/NAME`.
 */
import { compatible } from "./compatible.ts";

export const fireworks = compatible({
  name: "fireworks",
  hosts: ["api.fireworks.ai"],
  hidesReasoning: () => false,
});
