// What the tests of triggers share: an engine on a broker of its own, whose requests can be made again.

import { createWorkflowEngine, defineWorkflow, startBroker } from "@repo/orchestration/server";
import { site, until } from "../engine/support.mjs";

export { ended, until } from "../engine/support.mjs";

/** A served engine. `arrived` has a function for each request that came to a trigger, which makes it again, changed or not. */
export async function served(t, { brokerOptions, ...options } = {}) {
  const broker = await startBroker({ port: 0, db: ":memory:", ...brokerOptions });
  t.after(() => broker.stop(0));
  const { url: baseUrl, token: qstashToken, currentSigningKey, nextSigningKey } = broker;
  const config = { baseUrl, qstashToken, currentSigningKey, nextSigningKey };
  const { url, answers } = await site(t);
  const providers = [{ name: "own", type: "upstash-workflow", config }];
  const engine = createWorkflowEngine({ providers, url: `${url}/api/workflows`, env: {}, ...options });
  t.after(() => engine.shutdown());
  const { handler } = engine.serve();
  const arrived = [];
  answers(async (request) => {
    const { method, headers, url } = request;
    const body = method === "GET" ? null : new Uint8Array(await request.arrayBuffer());
    const again = (changed = {}) => {
      const all = { ...Object.fromEntries(headers), ...changed.headers };
      return handler(new Request(url, { method, headers: all, body: changed.body ?? body }));
    };
    if (url.includes("/triggers/")) arrived.push(again);
    return again();
  });
  return { engine, broker, url, arrived };
}

/** A workflow that gives its input, and the inputs that its step has seen. */
export function echo(id = "echo") {
  const inputs = [];
  const workflow = defineWorkflow(id, (context) =>
    context.run("echo", () => {
      inputs.push(context.requestPayload);
      return context.requestPayload ?? null;
    }),
  );
  return { workflow, inputs };
}

/** A validator of objects with a member. */
export const having = (name) => ({
  parse(value) {
    if (value?.[name] === undefined) throw new Error(`${name} is missing`);
    return value;
  },
});

export const urlOf = (engine, name) => engine.triggers().find((trigger) => trigger.name === name).url;

/** Status and code of a refusal. */
export const codeOf = async (answer) => [answer.status, (await answer.json()).error];

/** All runs, once so many have completed. */
export const runs = (engine, count) =>
  until(async () => {
    const { runs: all } = await engine.listExecutions();
    return all.filter(({ status }) => status === "completed").length >= count ? all : undefined;
  });
