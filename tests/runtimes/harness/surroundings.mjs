/** What is around every project: a broker on a port of this machine, and the payment service that it calls. */
import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";

import { startBroker } from "@repo/orchestration/server";

/**
 * @returns {Promise<Surroundings>} with `charges`, what the payment service was asked for, and `environment`, the settings of an
 * application
 *
 * @typedef {{ broker: import("@repo/orchestration/server").RunningBroker, charges: object[],
 *   environment: Record<string, string>, stop: () => Promise<void> }} Surroundings
 */
export async function startSurroundings() {
  const broker = await startBroker({ port: 0, db: ":memory:" });
  const charges = [];
  const payments = createServer(async (request, response) => {
    const charge = await json(request);
    charges.push(charge);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ receipt: `receipt-${charge.orderId}` }));
  });
  await once(payments.listen(0, "127.0.0.1"), "listening");
  return {
    broker,
    charges,
    environment: { ...broker.environment, PAYMENTS_URL: `http://127.0.0.1:${payments.address().port}` },
    async stop() {
      await broker.stop();
      payments.closeAllConnections();
      payments.close();
    },
  };
}
