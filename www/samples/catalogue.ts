/** The samples as the page shows them, and what each is started with. */

export interface Field {
  name: string;
  label: string;
  hint?: string;
  /** The kind of the control, and of the value. */
  kind: "number" | "text" | "long" | "choice" | "check";
  initial: string | number | boolean;
  min?: number;
  max?: number;
  options?: readonly string[];
}

export interface Sample {
  name: SampleName;
  title: string;
  /** What it shows, in a sentence or two. */
  shows: string;
  /** Its files in this folder, the workflow first. */
  files: readonly string[];
  /** Its route in `app/api/samples/`. */
  route: string;
  /** Its route in `app/api/samples/edge/`, unless it is called the same there. */
  edgeRoute?: string;
  fields: readonly Field[];
  /** What the button says. */
  action: string;
}

export type SampleName = "order" | "approval" | "report" | "images" | "webhook" | "ai" | "trip";

/** Where the route of a sample runs, as Next.js calls it. */
export type Runtime = "nodejs" | "edge";

export const RUNTIMES: readonly Runtime[] = ["nodejs", "edge"];

export type Values = Record<string, string | number | boolean>;

const ARTICLE = `A workflow is an ordinary function. Each of its steps runs in a request of its own, and the broker remembers the step's result. When the function runs again, remembered steps give their results at once.

A sleep holds nothing. The broker starts the next invocation when its time has come, even if the server was restarted meanwhile. A sleep of a month costs as much as a sleep of a second.

Delivery is at least once. A step that was cut off before its result was accepted runs again, so the effects of a step should be idempotent. The id of the run and the name of the step make a good key.`;

export const SAMPLES: readonly Sample[] = [
  {
    name: "order",
    title: "Order",
    shows:
      "Steps that talk to services which fail now and then: each has its own retries, two run in parallel, and what was done once is not done again.",
    files: ["order/workflow.ts", "order/client.ts", "services.ts"],
    route: "order/route.ts",
    fields: [
      { name: "item", label: "Item", kind: "choice", initial: "lamp", options: ["lamp", "chair", "desk"] },
      { name: "quantity", label: "Quantity", kind: "number", initial: 2, min: 1, max: 50 },
      {
        name: "failures",
        label: "Failed payments",
        hint: "So many tries fail first.",
        kind: "number",
        initial: 2,
        min: 0,
        max: 5,
      },
    ],
    action: "Place the order",
  },
  {
    name: "approval",
    title: "Human approval",
    shows:
      "A run that waits for somebody’s decision, for days if need be, and goes its own way if nobody decides in time.",
    files: ["approval/workflow.ts", "approval/client.ts"],
    route: "approval/route.ts",
    fields: [
      { name: "purpose", label: "Purpose", kind: "text", initial: "Train to Vienna", max: 80 },
      { name: "amount", label: "Amount", kind: "number", initial: 79, min: 1, max: 10_000 },
      {
        name: "patience",
        label: "Waits for",
        kind: "choice",
        initial: "10m",
        options: ["2s", "1m", "10m", "1d", "7d"],
      },
    ],
    action: "Ask for approval",
  },
  {
    name: "report",
    title: "Nightly report",
    shows:
      "A schedule that starts a run every night. The report is made of what the other samples have written into the ledger.",
    files: ["report/workflow.ts", "report/client.ts"],
    route: "report/route.ts",
    fields: [],
    action: "Run it now",
  },
  {
    name: "images",
    title: "Image batch",
    shows:
      "Many steps at once under a flow-control key: all are asked for together, and no more than allowed run at the same time.",
    files: ["images/workflow.ts", "images/client.ts", "images/pixels.ts"],
    route: "images/route.ts",
    fields: [
      { name: "pictures", label: "Pictures", kind: "number", initial: 8, min: 1, max: 24 },
      { name: "width", label: "Width of a thumbnail", kind: "number", initial: 160, min: 16, max: 320 },
      { name: "parallelism", label: "At the same time", kind: "number", initial: 2, min: 1, max: 10 },
    ],
    action: "Make thumbnails",
  },
  {
    name: "webhook",
    title: "Webhook intake",
    shows:
      "A third party’s webhook starts runs once its signature was verified. Here this server sends what GitHub would send.",
    files: ["webhook/workflow.ts", "webhook/client.ts"],
    route: "webhook/[...path]/route.ts",
    edgeRoute: "webhook/triggers/github/route.ts",
    fields: [
      { name: "title", label: "Title of the issue", kind: "text", initial: "The app crashes on start", max: 80 },
      { name: "forged", label: "Sign with a wrong secret", kind: "check", initial: false },
    ],
    action: "Send a signed webhook",
  },
  {
    name: "ai",
    title: "AI pipeline",
    shows:
      "Requests to a language model that the broker makes: nothing runs while the model thinks, refusals are tried again, and a flow-control key keeps to the model’s limit. The model is a stand-in of this app.",
    files: ["ai/workflow.ts", "ai/client.ts"],
    route: "ai/route.ts",
    fields: [
      {
        name: "text",
        label: "Text",
        hint: "A request for each paragraph.",
        kind: "long",
        initial: ARTICLE,
        max: 8_000,
      },
      { name: "latency", label: "Latency in ms", kind: "number", initial: 800, min: 0, max: 10_000 },
      {
        name: "refusals",
        label: "Refusals with 429",
        hint: "So often each request is refused first.",
        kind: "number",
        initial: 1,
        min: 0,
        max: 4,
      },
    ],
    action: "Summarise",
  },
  {
    name: "trip",
    title: "Compensation",
    shows:
      "A failure that is made good: of three bookings the last can be impossible, for there are 3 cars for 4 travellers each. What was booked is cancelled then, the last first.",
    files: ["trip/workflow.ts", "trip/client.ts"],
    route: "trip/route.ts",
    fields: [
      { name: "to", label: "Destination", kind: "text", initial: "Lisbon", max: 80 },
      {
        name: "travellers",
        label: "Travellers",
        hint: "From 13 on there are too few cars.",
        kind: "number",
        initial: 14,
        min: 1,
        max: 40,
      },
    ],
    action: "Book the trip",
  },
];

export const sampleNamed = (name: unknown): Sample | undefined => SAMPLES.find((sample) => sample.name === name);

/** Where its workflow is. */
export function pathOf({ name }: Sample, runtime: Runtime): string {
  const path = name === "webhook" ? "webhook/triggers/github" : name;
  return runtime === "edge" ? `/api/samples/edge/${path}` : `/api/samples/${path}`;
}

/** What is wrong with a value; `undefined` if it fits. */
export function misfit({ label, kind, min = 0, max = 0, options = [] }: Field, value: unknown): string | undefined {
  if (kind === "number" && !(Number.isInteger(value) && (value as number) >= min && (value as number) <= max))
    return `${label}: expected a whole number from ${min} to ${max}`;
  if (
    (kind === "text" || kind === "long") &&
    !(typeof value === "string" && value.trim() !== "" && value.length <= max)
  )
    return `${label}: expected a text of 1 to ${max} characters`;
  if (kind === "choice" && !options.includes(value as string)) return `${label}: expected one of ${options.join(", ")}`;
  if (kind === "check" && typeof value !== "boolean") return `${label}: expected true or false`;
  return undefined;
}
