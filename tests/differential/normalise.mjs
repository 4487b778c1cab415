/** Takes from a recording what no protocol rule speaks about, and gives the rest a fixed shape. */

const RANDOM_ID = /(wfr_[A-Za-z0-9_-]{21}|evt_[A-Za-z0-9_-]{15})(?![A-Za-z0-9_-])/g;
const TELEMETRY = /upstash-telemetry-/i;
const CONNECTION =
  /^(host|connection|content-length|transfer-encoding|user-agent|accept.*|sec-fetch-.*|priority|keep-alive|date)$/i;
const SDK_NAME = "upstash-workflow-sdk";

/**
 * The recording as plain JSON. Left out: telemetry, connection-level headers, stacks, the recorder's origin and the
 * order of headers. Random ids of runs and events become `wfr_<1>`, `evt_<2>`, … in order of first appearance.
 * Header names of the transport are case-insensitive by HTTP and become lower case; inside a batch item they keep their case.
 */
export function normalise({ origin, exchanges }, { engineText = false } = {}) {
  const shaped = exchanges.map(({ delivery, requests, response, trace }) => ({
    delivery,
    requests: requests.map(shapeRequest),
    response: shapeResponse(response, engineText),
    trace,
  }));
  const ids = new Map();
  return replaceStrings(shaped, (text) =>
    text.replaceAll(origin, "http://qstash.test").replace(RANDOM_ID, (id) => {
      if (!ids.has(id)) ids.set(id, `${id.slice(0, 4)}<${ids.size + 1}>`);
      return ids.get(id);
    }),
  );
}

/** What an implementation did, without what it was given. */
export const reactions = (recording) => recording.map(({ delivery: _, ...reaction }) => reaction);

function shapeRequest({ method, path, headers, body }) {
  const shaped = { method, path, headers: shapeHeaders(headers.map(([name, value]) => [name.toLowerCase(), value])) };
  if (path !== "/v2/batch") return { ...shaped, body: withoutTelemetry(body) };

  const items = JSON.parse(body);
  return {
    ...shaped,
    ...(JSON.stringify(items) === body ? {} : { unusualEncoding: body }),
    items: items.map((item) => ({ ...item, headers: shapeHeaders(Object.entries(item.headers)) })),
  };
}

/** A body that carries headers for a later message; any other as it is. */
function withoutTelemetry(body) {
  if (!TELEMETRY.test(body)) return body;
  return JSON.stringify(JSON.parse(body, (name, value) => (TELEMETRY.test(name) ? undefined : value)));
}

function shapeResponse(response, engineText) {
  if (response.thrown !== undefined) return engineText ? { thrown: "<engine>" } : response;
  const headers = response.headers.map(([name, value]) => [name, name === SDK_NAME ? "<name of the SDK>" : value]);
  const body = shapeBody(response.body);
  if (engineText && response.status === 500) Object.assign(body, { error: "<engine>", message: "<engine>" });
  return { status: response.status, headers: shapeHeaders(headers), body };
}

function shapeBody(text) {
  try {
    const { stack, ...body } = JSON.parse(text);
    return typeof stack === "string" ? body : JSON.parse(text);
  } catch {
    return text;
  }
}

/** Names and values in order of name; a name sent more than once has an array of values. */
function shapeHeaders(pairs) {
  const result = {};
  const kept = pairs.filter(([name]) => !TELEMETRY.test(name) && !CONNECTION.test(name));
  for (const [name, value] of kept.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    result[name] = name in result ? [result[name], value].flat() : value;
  }
  return result;
}

function replaceStrings(value, replace) {
  if (typeof value === "string") return replace(value);
  if (Array.isArray(value)) return value.map((item) => replaceStrings(item, replace));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceStrings(item, replace)]));
}
