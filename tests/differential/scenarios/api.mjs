import { called, resume } from "../delivery.mjs";

const asking =
  (use) =>
  ({ trace }) =>
  async (context) => {
    trace(await use(context.api));
    await context.run("end", () => {});
  };

const sent = (name, use, deliveries = [resume()]) => ({ name: `api: ${name}`, route: asking(use), deliveries });

const chat = { model: "m", messages: [{ role: "user", content: "hello é" }] };
const openai = (settings) => (api) =>
  api.openai.call("ask", { token: "t", operation: "chat.completions.create", body: chat, ...settings });
const anthropic = (settings) => (api) =>
  api.anthropic.call("ask", {
    token: "t",
    operation: "messages.create",
    body: { ...chat, max_tokens: 5 },
    ...settings,
  });
const resend = (settings) => (api) =>
  api.resend.call("ask", { token: "t", body: { from: "a@a.test", to: "b@b.test", subject: "s" }, ...settings });

const OPTIONS = { retries: 2, retryDelay: "1000", timeout: "30s", headers: { "X-Trace": "t" }, method: "PUT" };

export default [
  sent("openai", openai()),
  sent("openai, organization", openai({ organization: "org" })),
  sent("openai, every option", openai(OPTIONS)),
  sent("openai, body as text", openai({ body: "text" })),
  sent("openai, flow control", openai({ flowControl: { key: "k", rate: 1 } })),
  sent("openai, own content type", openai({ headers: { "content-type": "application/x" } })),
  ...["https://own.test", "https://own.test/v1/chat/completions", "https://own.test/chat/completions"].map((baseURL) =>
    sent(`openai, at ${baseURL}`, openai({ baseURL, organization: "org" })),
  ),
  sent("openai, at nowhere", openai({ baseURL: "" })),
  sent("openai, no token", openai({ token: "" })),
  sent("anthropic", anthropic()),
  sent("anthropic, every option", anthropic(OPTIONS)),
  sent("anthropic, no token", anthropic({ token: undefined })),
  sent("resend", resend()),
  sent("resend, batch", resend({ batch: true, body: [] })),
  sent("resend, every option", resend(OPTIONS)),
  sent("openai, answered", openai(), [
    resume([called(1, "ask", { header: { "content-type": ["application/json"] }, body: '{"id":"1","choices":[]}' })]),
  ]),
];
