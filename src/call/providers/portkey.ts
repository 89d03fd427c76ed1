/**
 * Portkey: OpenAI's and Anthropic's dialects for everyone's models; a header of the request says whose, and one of the
 * answer says who answered.
 */
import { compatible } from "./compatible.ts";

export const portkey = compatible({
  name: "portkey",
  hosts: ["api.portkey.ai"],
  refine(facts, _path, headers) {
    const owner = headers["x-portkey-provider"]?.trim().toLowerCase().replace(/^@/, "") ?? "";
    const { model } = facts;
    return owner === "" || model === null || model.includes("/") ? facts : { ...facts, model: `${owner}/${model}` };
  },
});
