/**
 * LiteLLM's proxy: everyone's dialect under any of its names; what a call cost stands in a header of an answer that comes
 * whole. It has no well-known host: it is named by its variables, or in the deployment's own settings.
 */
import { compatible } from "./compatible.ts";

export const litellm = compatible({ name: "litellm", hosts: [] });
