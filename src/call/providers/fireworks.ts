/**
 * Fireworks: OpenAI's dialect under `/inference/v1`, models named `accounts/fireworks/models/NAME`.
 */
import { compatible } from "./compatible.ts";

export const fireworks = compatible({
  name: "fireworks",
  // Speech is written down at hosts of its own: audio-prod and audio-turbo (docs.fireworks.ai, "Querying ASR models").
  hosts: ["api.fireworks.ai", "*.api.fireworks.ai"],
  hidesReasoning: () => false,
});
