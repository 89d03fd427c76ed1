import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Operation } from "../../src/call/call.ts";
import { editJson } from "../../src/call/json-edit.ts";
import { anthropic } from "../../src/call/providers/anthropic.ts";
import { google } from "../../src/call/providers/google.ts";
import { openai } from "../../src/call/providers/openai.ts";
import { capOutput, routeModel, whyFixed } from "../../src/call/rewrite.ts";

function capped(operation: Operation, body: string, tokens: number): string {
  const result = capOutput(operation === "messages" ? anthropic : openai, operation, Buffer.from(body), tokens);
  return result.kind === "capped" ? result.body.toString() : result.kind;
}

describe("a cap", () => {
  it.each([
    ["chat", '{"max_tokens":500,"model":"m"}', '{"max_tokens":100,"model":"m"}'],
    ["chat", '{ "max_completion_tokens" : 500 }', '{ "max_completion_tokens" : 100 }'],
    ["chat", '{"max_tokens":500,"max_completion_tokens":50}', '{"max_tokens":100,"max_completion_tokens":50}'],
    ["chat", '{"model":"m"}', '{"max_completion_tokens":100,"model":"m"}'],
    ["chat", "{}", '{"max_completion_tokens":100}'],
    ["chat", '{"max_completion_tokens":null}', '{"max_completion_tokens":100}'],
    ["chat", '{"max_tokens":50}', "unchanged"],
    ["chat", '{"n":4,"max_tokens":50}', '{"n":4,"max_tokens":25}'],
    ["chat", "[1]", "impossible"],
    ["chat", "{", "impossible"],
    ["responses", '{"max_output_tokens":500}', '{"max_output_tokens":100}'],
    ["responses", "{}", '{"max_output_tokens":100}'],
    ["completions", "{}", "unchanged"],
    ["completions", '{"max_tokens":500}', '{"max_tokens":100}'],
    ["embeddings", "{}", "impossible"],
    ["messages", '{"max_tokens":4096}', '{"max_tokens":100}'],
    ["messages", '{"max_tokens":100}', "unchanged"],
    ["messages", '{"max_tokens":4096,"thinking":{"type":"enabled","budget_tokens":2048}}', "impossible"],
  ] as const)("of 100 on a %s request turns %s into %s", (operation, body, expected) => {
    expect(capped(operation, body, 100)).toBe(expected);
  });

  it.each([
    ["{}", '{"generationConfig":{"maxOutputTokens":100}}'],
    ['{"contents":[]}', '{"generationConfig":{"maxOutputTokens":100},"contents":[]}'],
    ['{"generationConfig":{}}', '{"generationConfig":{"maxOutputTokens":100}}'],
    ['{ "generationConfig" : { "topK": 1 } }', '{ "generationConfig" : {"maxOutputTokens":100, "topK": 1 } }'],
    ['{"generation_config":{"a":1}}', '{"generation_config":{"maxOutputTokens":100,"a":1}}'],
    [
      '{"generationConfig":{"a":1},"generationConfig":{"b":2}}',
      '{"generationConfig":{"a":1},"generationConfig":{"maxOutputTokens":100,"b":2}}',
    ],
    ['{"generationConfig":null}', '{"generationConfig":{"maxOutputTokens":100}}'],
    ['{"generationConfig":{"maxOutputTokens":500}}', '{"generationConfig":{"maxOutputTokens":100}}'],
    ['{"generation_config":{"max_output_tokens":500}}', '{"generation_config":{"max_output_tokens":100}}'],
    ['{"generationConfig":{"maxOutputTokens":50}}', "unchanged"],
    [
      '{"generationConfig":{"candidateCount":4,"maxOutputTokens":50}}',
      '{"generationConfig":{"candidateCount":4,"maxOutputTokens":25}}',
    ],
  ])("of 100 is written where Gemini has it: %s becomes %s", (body, expected) => {
    const result = capOutput(google, "generate", Buffer.from(body), 100);
    expect(result.kind === "capped" ? result.body.toString() : result.kind).toBe(expected);
  });

  it("lowers a thinking budget that would no longer fit", () => {
    const body = '{"thinking":{"budget_tokens":8000,"type":"enabled"},"max_tokens":16000}';
    expect(capped("messages", body, 4000)).toBe(
      '{"thinking":{"budget_tokens":2000,"type":"enabled"},"max_tokens":4000}',
    );
    expect(capped("messages", body, 1500)).toBe(
      '{"thinking":{"budget_tokens":1024,"type":"enabled"},"max_tokens":1500}',
    );
    expect(capped("messages", body, 9000)).toBe(
      '{"thinking":{"budget_tokens":8000,"type":"enabled"},"max_tokens":9000}',
    );
  });

  it("is not put under what the responses endpoint accepts", () => {
    expect(capped("responses", "{}", 15)).toBe("impossible");
  });

  it("changes only the request's own limit, not one inside a message or a tool", () => {
    const body = '{"messages":[{"content":"\\"max_tokens\\":9, {\\\\"}],"tools":[{"max_tokens":700}],"max_tokens":500}';
    expect(capped("chat", body, 100)).toBe(body.replace('"max_tokens":500', '"max_tokens":100'));
  });

  it("changes every standing of a key that is there twice or is written with escapes", () => {
    expect(capped("chat", '{"max_tokens":900,"max_tokens":500}', 100)).toBe('{"max_tokens":100,"max_tokens":100}');
    expect(capped("chat", '{"max\\u005ftokens":900}', 100)).toBe('{"max\\u005ftokens":100}');
  });

  it("keeps each byte of the prompt: escapes, spaces and characters of any length", () => {
    const body = '\ufeff \n{"messages": [ {"content":"caf\\u00e9 猫 😀 \\/ \\ud83d"} ],\t"max_tokens":500 }\r\n';
    expect(editJson(Buffer.from(body), ["max_tokens"], 100, true)?.toString()).toBe(body.replace("500", "100"));
  });
});

function routed(operation: Operation, body: string, model: string, path = "/v1/x"): string {
  const result = routeModel(operation === "messages" ? anthropic : openai, operation, path, Buffer.from(body), model);
  return result.kind === "routed" ? result.body.toString() : result.why;
}

describe("a route", () => {
  it.each(["chat", "responses", "completions", "embeddings", "messages"] as const)(
    "changes the model of a %s request and no other byte",
    (operation) => {
      const body =
        ' { "input":"caf\\u00e9 \\"model\\":\\"a\\" 猫",\n "model" : "gpt-5", "tools":[{"model":"gpt-5"}] }\r\n';
      expect(routed(operation, body, "mini")).toBe(body.replace('"model" : "gpt-5"', '"model" : "mini"'));
    },
  );

  it("changes every standing of a key that is there twice or is written with escapes", () => {
    expect(routed("chat", '{"model":"a","model":"b","mo\\u0064el":"c"}', "mini")).toBe(
      '{"model":"mini","model":"mini","mo\\u0064el":"mini"}',
    );
  });

  it("writes any name as JSON does, whatever stood there", () => {
    expect(routed("chat", '{"model":"\\u0067pt \\\\\\" }"}', 'né"w\\')).toBe('{"model":"né\\"w\\\\"}');
  });

  it.each([
    ["chat", "[1]", "the body cannot be read"],
    ["chat", "{}", "the request names no model"],
    ["responses", '{"prompt":{"id":"p"}}', "the request names no model"],
    ["messages", '{"model":7}', "the request names no model"],
    ["other", '{"model":"a"}', "the endpoint is not known to take a model"],
  ] as const)("of a %s request that says %s is not possible: %s", (operation, body, why) => {
    expect(routed(operation, body, "mini")).toBe(why);
  });

  it("leaves a deployment of Azure alone: its address decides, whatever the body says", () => {
    const path = "/openai/deployments/gpt-5/chat/completions?api-version=2025-01-01";
    expect(routed("chat", '{"model":"gpt-5"}', "mini", path)).toBe("the model is a deployment in the address");
  });
});

describe("a request that must not be changed", () => {
  const body = Buffer.from("{}");
  it.each([
    [{ authorization: "AWS4-HMAC-SHA256 Credential=x" }, "/", "the request is signed"],
    [{ "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }, "/", "the request is signed"],
    [{}, "/model/x/invoke?X-Amz-Signature=ab", "the request is signed"],
    [{ "signature-input": 'sig=("content-length")' }, "/", "the request is signed"],
    [{ "content-digest": "sha-256=:x:" }, "/", "the request carries a content-digest"],
    [{ digest: "sha-256=x" }, "/", "the request carries a digest"],
    [{ "content-md5": "x" }, "/", "the request carries a content-md5"],
    [{ "content-encoding": "gzip" }, "/", "the body is compressed"],
    [{ "content-type": "multipart/form-data; boundary=x" }, "/", "the body has several parts"],
  ])("by %j at %s: %s", (headers, path, why) => {
    expect(whyFixed(headers, path, body)).toBe(why);
  });

  it("is one whose body was not seen, and no ordinary one", () => {
    expect(whyFixed({}, "/", null)).toBe("the body is too large, or does not end");
    const ordinary = { authorization: "Bearer x", "content-type": "application/json", "content-encoding": "identity" };
    expect(whyFixed(ordinary, "/v1/chat/completions?x=1", body)).toBeNull();
  });
});

describe("an edit of any JSON object", () => {
  const key = fc.oneof(fc.string(), fc.constantFrom("a", "max_tokens", '"', "\\", "é"));
  const object = fc.dictionary(key, fc.jsonValue());

  // The expected text is put together, not parsed: JSON.parse of Node 24.21 and 26.10 mistakes some one-letter escaped keys.
  it("changes that one value and no other byte", () => {
    fc.assert(
      fc.property(
        object,
        fc.oneof(fc.nat(), fc.string()),
        fc.constantFrom("", " ", "\r\n\t"),
        (given, value, space) => {
          const write = (members: readonly (readonly [string, string])[]): string =>
            `{${members.map(([name, json]) => `${space}${JSON.stringify(name)}${space}:${space}${json}${space}`).join(",")}}`;
          const members = Object.entries(given).map(([name, json]) => [name, JSON.stringify(json)] as const);
          const edited = editJson(Buffer.from(write(members)), ["max_tokens"], value, true)?.toString();
          const changed = members.map(
            ([name, json]) => [name, name === "max_tokens" ? JSON.stringify(value) : json] as const,
          );
          const added = write(members).replace(
            "{",
            () => `{"max_tokens":${JSON.stringify(value)}${members.length > 0 ? "," : ""}`,
          );
          expect(edited).toBe(Object.hasOwn(given, "max_tokens") ? write(changed) : added);
        },
      ),
    );
  });

  it("never throws on what is no JSON", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        editJson(Buffer.from(`{${text}`), ["max_tokens"], 1, true);
      }),
    );
  });
});
