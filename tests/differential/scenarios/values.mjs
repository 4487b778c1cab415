import { base64, delivered, ran, resume } from "../delivery.mjs";

const VALUES = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  zero: () => 0,
  "negative zero": () => -0,
  integer: () => 42,
  fraction: () => 0.1,
  "large number": () => 1e21,
  "small number": () => 1e-7,
  "unsafe integer": () => 2 ** 53,
  NaN: () => NaN,
  Infinity: () => Infinity,
  "empty text": () => "",
  text: () => "text",
  "text that looks like JSON": () => '{"a":1}',
  "text that looks like a number": () => "123",
  "text with quotes and control characters": () => 'a"b\\c\n\r\t\b\f\u0000\u001f\u007f/',
  unicode: () => "é 步骤 😀 \u2028\u2029\ufeff",
  "lone surrogate": () => "\ud83d",
  "empty array": () => [],
  "array with holes": () => [1, undefined, () => 1, null],
  "nested array": () => [[1, [2]], ["x"]],
  "empty object": () => ({}),
  "object in its order": () => ({ b: 1, a: { d: [1], c: null }, 2: "two", 1: "one" }),
  "object with undefined": () => ({ kept: 1, gone: undefined, fn: () => 1 }),
  "keys beyond ASCII": () => ({ "é\n": 1, "": 2, __proto__x: 3 }),
  date: () => new Date(1700000000123),
  map: () => new Map([[1, 2]]),
  "typed array": () => new Uint8Array([1, 2]),
  "own toJSON": () => ({ toJSON: () => "from toJSON" }),
  function: () => () => 1,
  symbol: () => Symbol("x"),
};

const returning =
  (value) =>
  ({ trace }) =>
  async (context) => {
    const seen = await context.run("value", value);
    trace(seen);
    return seen;
  };

const submitted = Object.entries(VALUES).map(([kind, value]) => ({
  name: `step result: ${kind}`,
  route: returning(value),
  deliveries: [resume()],
}));

const replayed = Object.entries(VALUES).map(([kind, value]) => ({
  name: `replayed result: ${kind}`,
  route: returning(value),
  deliveries: [resume([JSON.stringify(value()) === undefined ? ran(1, "value") : ran(1, "value", value())])],
}));

const returned = Object.entries(VALUES).map(([kind, value]) => ({
  name: `result of the run: ${kind}`,
  route: () => async (context) => {
    await context.run("value", () => 1);
    return value();
  },
  deliveries: [resume([ran(1, "value", 1)])],
}));

const out = (...value) => [
  { stepId: 1, stepName: "value", stepType: "Run", ...(value.length ? { out: value[0] } : {}), concurrent: 1 },
];

const odd = [
  {
    name: "replayed out that is not JSON",
    route: returning(() => 1),
    deliveries: [resume(out("not json")), resume(out(""))],
  },
  {
    name: "replayed out that is an object",
    route: returning(() => 1),
    deliveries: [resume(out({ a: 1 })), resume(out([1])), resume(out(null))],
  },
  { name: "replayed out that is a number", route: returning(() => 1), deliveries: [resume(out(1)), resume(out(true))] },
  {
    name: "history in UTF-8 with a byte order mark or broken bytes",
    route:
      ({ trace }) =>
      async (context) => {
        trace(await context.run("value", () => 1));
        await context.run("payload", () => trace(context.requestPayload));
      },
    deliveries: [Buffer.from([0xef, 0xbb, 0xbf, 0x22, 0x61, 0x22]), Buffer.from([0x22, 0xff, 0xc3, 0x22])].map(
      (bytes) =>
        delivered(
          JSON.stringify([
            { messageId: "msg_h0", body: bytes.toString("base64"), callType: "step" },
            { messageId: "msg_h1", body: base64(JSON.stringify(ran(1, "value", "é"))), callType: "step" },
          ]),
        ),
    ),
  },
  {
    name: "step result: BigInt",
    route: returning(() => 1n),
    engineText: true,
    deliveries: [resume()],
  },
  {
    name: "step result: circular",
    route: returning(() => {
      const loop = {};
      loop.self = loop;
      return loop;
    }),
    engineText: true,
    deliveries: [resume()],
  },
  {
    name: "step result: large",
    route: returning(() => "é".repeat(2000)),
    deliveries: [resume()],
  },
];

export default [...submitted, ...replayed, ...returned, ...odd];
