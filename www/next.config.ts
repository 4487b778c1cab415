import type { NextConfig } from "next";

/** `static`: pages alone, as files that a broker serves beside its API. */
const isStatic = process.env.WWW_TARGET === "static";

const config: NextConfig = {
  // Route handlers are `route.ts`, pages that need a server `page.server.tsx`: the static build knows neither.
  pageExtensions: isStatic ? ["tsx"] : ["tsx", "ts", "server.tsx"],
  ...(isStatic ? { output: "export" } : {}),
  env: { NEXT_PUBLIC_HOST: isStatic ? "broker" : "next" },
  turbopack: { root: import.meta.dirname },
  outputFileTracingRoot: import.meta.dirname,
  reactStrictMode: true,
  poweredByHeader: false,
  devIndicators: false,
};

export default config;
