// An OTLP/HTTP collector in a few lines: takes JSON, keeps the spans.
import { createServer } from "node:http";

export async function startSink() {
  const spans = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    if (request.url === "/v1/traces") collect(JSON.parse(Buffer.concat(parts).toString()), spans);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    spans,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function collect(message, spans) {
  for (const resource of message.resourceSpans ?? []) {
    for (const scope of resource.scopeSpans ?? []) {
      for (const span of scope.spans ?? []) {
        const attributes = Object.fromEntries((span.attributes ?? []).map(({ key, value }) => [key, plain(value)]));
        spans.push({ name: span.name, status: span.status?.code ?? 0, attributes });
      }
    }
  }
}

function plain(value) {
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plain);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue ?? null;
}
