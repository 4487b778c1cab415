import {
  CURRENT_KEY,
  failureCallback,
  historyOf,
  lazy,
  NEXT_KEY,
  RUN_ID,
  ran,
  resume,
  signed,
  trigger,
} from "../delivery.mjs";

const order =
  ({ trace }) =>
  async (context) => {
    trace(await context.run("a", () => trace("a runs")));
  };

const KEYS = { QSTASH_CURRENT_SIGNING_KEY: CURRENT_KEY, QSTASH_NEXT_SIGNING_KEY: NEXT_KEY };

const checked = (name, ...deliveries) => ({ name: `signature: ${name}`, route: order, env: KEYS, deliveries });

const rightKeys = ({ Receiver }) => ({
  receiver: new Receiver({ currentSigningKey: CURRENT_KEY, nextSigningKey: NEXT_KEY }),
});
const given = (name, options, env, ...deliveries) => ({
  name: `receiver: ${name}`,
  route: order,
  options,
  env,
  deliveries,
});

export default [
  checked("current key", signed(resume()), signed(resume([ran(1, "a", 1)]))),
  checked("next key", signed(resume(), { key: NEXT_KEY })),
  checked("first invocation", signed(trigger('{"orderId":42}'))),
  checked("first invocation without", trigger('{"orderId":42}')),
  checked("failure callback", signed(failureCallback()), failureCallback()),
  checked("empty body", signed(lazy({ messageId: "msg_h0", runs: { [RUN_ID]: historyOf([]) } }))),
  checked(
    "body beyond ASCII",
    signed(resume([], { payload: '{"orderId":"é 步骤 😀"}' })),
    signed(trigger('{"a":"é 步骤 😀"}')),
  ),
  checked("body hash with padding", signed(resume(), { claims: { body: paddedHash(resume().body) } })),
  checked("missing", resume()),
  checked("wrong key", signed(resume(), { key: "sig_of_somebody_else" })),
  checked("tampered body", { ...signed(resume()), body: resume([ran(1, "a", 1)]).body }),
  checked("tampered claims", tampered(signed(resume()))),
  checked(
    "hash of another body",
    signed(resume(), { claims: { body: "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" } }),
  ),
  { ...checked("no body claim", signed(resume(), { claims: { body: undefined } })), engineText: true },
  checked("expired", signed(resume(), { claims: { exp: 1700000300 } })),
  checked("not yet valid", signed(resume(), { claims: { nbf: 4102444000 } })),
  checked("another issuer", signed(resume(), { claims: { iss: "Somebody" } })),
  checked("another subject", signed(resume(), { claims: { sub: "https://elsewhere.test/" } })),
  {
    ...checked("algorithm none", unsecured(signed(resume(), { header: { alg: "none", typ: "JWT" } }))),
    engineText: true,
  },
  checked("algorithm HS512 in the header", signed(resume(), { header: { alg: "HS512", typ: "JWT" } })),
  checked(
    "not a token",
    resume([], { headers: { "upstash-signature": "abc" } }),
    resume([], { headers: { "upstash-signature": "a.b.c" } }),
  ),
  checked(
    "missing run id is told before the signature",
    resume([], { headers: { "upstash-workflow-runid": undefined } }),
  ),
  given("in options, valid", rightKeys, {}, signed(resume())),
  given("in options, missing signature", rightKeys, {}, resume()),
  given(
    "in options wins over env",
    ({ Receiver }) => ({ receiver: new Receiver({ currentSigningKey: "sig_a", nextSigningKey: "sig_b" }) }),
    KEYS,
    signed(resume()),
    signed(resume(), { key: "sig_b" }),
  ),
  given("undefined turns the check off", () => ({ receiver: undefined }), KEYS, resume()),
  given("one key in env only turns the check off", undefined, { QSTASH_CURRENT_SIGNING_KEY: CURRENT_KEY }, resume()),
];

function paddedHash(text) {
  const [, claims] = signed({ url: "", headers: {}, body: text }).headers["upstash-signature"].split(".");
  return `${JSON.parse(Buffer.from(claims, "base64url")).body}=`;
}

/** The token with other claims under the old signature. */
function tampered(delivery) {
  const [header, claims, mac] = delivery.headers["upstash-signature"].split(".");
  const other = { ...JSON.parse(Buffer.from(claims, "base64url")), jti: "jwt_other" };
  return withSignature(delivery, [header, Buffer.from(JSON.stringify(other)).toString("base64url"), mac].join("."));
}

function unsecured(delivery) {
  return withSignature(delivery, delivery.headers["upstash-signature"].replace(/[^.]*$/, ""));
}

function withSignature(delivery, signature) {
  return { ...delivery, headers: { ...delivery.headers, "upstash-signature": signature } };
}
