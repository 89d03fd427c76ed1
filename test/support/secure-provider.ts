/**
 * The fake provider behind TLS, with a certificate that nobody signed but itself. It offers HTTP/2, and takes HTTP/1.1.
 * @module
 */
import { createSecureServer } from "node:http2";
import type { Certificate } from "./certificate.ts";
import { type FakeProvider, fakeProvider } from "./fake-provider.ts";

/** Starts it on a free port of loopback; it behaves as the plain one does. */
export const secureProvider = (
  certificate: Certificate,
  behaviour: Parameters<typeof fakeProvider>[0] = {},
): Promise<FakeProvider> =>
  fakeProvider(behaviour, {
    scheme: "https",
    make: (listener) =>
      createSecureServer({ ...certificate, allowHTTP1: true }, (request, response) => {
        // The compatibility layer of HTTP/2 speaks as that of HTTP/1.1 does, as far as this server goes.
        listener(request as never, response as never);
      }),
  });
