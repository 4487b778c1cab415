import type { NextConfig } from "next";

/** `static`: pages alone, as files that a broker serves beside its API. */
const isStatic = process.env.WWW_TARGET === "static";

/** The static build has its policy in each page, with the sums of its scripts; see `scripts/content-security.mjs`. */
const HEADERS = {
  "content-security-policy": [
    "default-src 'self'",
    "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};
const headers = Object.entries(HEADERS).map(([key, value]) => ({ key, value }));

const config: NextConfig = {
  // Route handlers are `route.ts`, pages that need a server `page.server.tsx`: the static build knows neither.
  pageExtensions: isStatic ? ["tsx"] : ["tsx", "ts", "server.tsx"],
  ...(isStatic ? { output: "export" } : {}),
  // `next dev` evaluates scripts, which the policy forbids.
  ...(!isStatic && process.env.NODE_ENV === "production"
    ? { headers: async () => [{ source: "/:path*", headers }] }
    : {}),
  env: { NEXT_PUBLIC_HOST: isStatic ? "broker" : "next" },
  turbopack: { root: import.meta.dirname },
  outputFileTracingRoot: import.meta.dirname,
  reactStrictMode: true,
  poweredByHeader: false,
  devIndicators: false,
};

export default config;
