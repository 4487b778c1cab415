/** Once, when the server starts: without an account the broker runs in this process while developing. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { prepareBroker } = await import("@/lib/server/broker");
  const { prepareSamples } = await import("@/lib/server/address");
  await prepareBroker();
  prepareSamples();
}
