// Fills a broker with what a dashboard has to show: runs in every state, messages, queues, groups, schedules, dead letters.

import { Client as Qstash } from "@repo/orchestration/client";
import { Client } from "@repo/orchestration/workflows";

/**
 * @param {object} options
 * @param {import("@repo/orchestration/server").RunningBroker} options.broker
 * @param {string} options.endpoints the URL of the endpoints, see `endpoints.mjs`
 * @param {number} [options.runs] how many orders are started beside one run of each other kind
 */
export async function seed({ broker, endpoints, runs = 40 }) {
  const config = { baseUrl: broker.url, token: broker.token };
  const workflows = new Client(config);
  const qstash = new Qstash(config);
  const trigger = (name, body, options = {}) =>
    workflows.trigger({ url: `${endpoints}/workflows/${name}`, body, retries: 1, ...options });

  for (const who of ["anna", "ben", "carla"]) await trigger("approval", { who }, { label: "approvals" });
  for (const fails of [1, 2]) await trigger("flaky", { fails }, { label: "rates" });
  for (const id of [1, 2, 3]) {
    await trigger("broken", { id, password: "hunter2" }, { label: "payments", workflowRunId: `broken-${id}` });
  }
  await trigger("sleeper", {});
  await trigger("sleeper", {}, { workflowRunId: "to-cancel" });
  await trigger("fan-out", { width: 6 }, { flowControl: { key: "images", parallelism: 2 } });
  for (let order = 1; order <= runs; order += 1) {
    await trigger("order", { order, items: ["book", "lamp"], email: "ada@example.com" }, { label: `order-${order}` });
  }

  await qstash.urlGroups.addEndpoints({
    name: "subscribers",
    endpoints: [
      { name: "mail", url: `${endpoints}/answers/200` },
      { name: "search", url: `${endpoints}/answers/202` },
    ],
  });
  await qstash.queue({ queueName: "invoices" }).upsert({ parallelism: 2 });
  await qstash.queue({ queueName: "mails" }).upsert({ parallelism: 1, paused: true });
  for (let number = 1; number <= 5; number += 1) {
    await qstash.queue({ queueName: "mails" }).enqueueJSON({ url: `${endpoints}/answers/200`, body: { number } });
    await qstash.queue({ queueName: "invoices" }).enqueueJSON({ url: `${endpoints}/answers/200`, body: { number } });
  }
  await qstash.publishJSON({ urlGroup: "subscribers", body: { news: "a new lamp" }, label: "news" });
  await qstash.publishJSON({
    url: `${endpoints}/answers/200`,
    body: { remind: "me" },
    delay: "3h",
    label: "reminders",
  });
  await qstash.publishJSON({ url: `${endpoints}/answers/500?body=boom`, body: { lost: true }, retries: 0 });
  await qstash.publishJSON({ url: `${endpoints}/answers/503`, body: { again: true }, retries: 3, retryDelay: "60000" });
  await qstash.publishJSON({
    url: `${endpoints}/answers/200?delay=400`,
    body: { slow: true },
    flowControl: { key: "slow-api", parallelism: 1, rate: 30, period: "1m" },
  });
  const schedules = [
    ["nightly-report", "CRON_TZ=Europe/Berlin 0 3 * * *"],
    ["every-five-minutes", "*/5 * * * *"],
    ["month-end", "0 18 28 * *"],
  ];
  for (const [scheduleId, cron] of schedules) {
    await qstash.schedules.create({ scheduleId, cron, destination: `${endpoints}/answers/200`, body: "{}" });
  }
  await qstash.schedules.pause({ schedule: "every-five-minutes" });
  await workflows.cancel({ ids: ["wfr_to-cancel"] }).catch(() => {});
}
