/** The golden recordings: what the reference did, on disk, one file a topic. */
import { mkdir, readFile, writeFile } from "node:fs/promises";

const SOURCE =
  "@upstash/workflow 1.3.3 with @upstash/qstash 2.12.0, their serve() driven against a recording server; " +
  "made by tests/differential/record.mjs; shape in README.md beside this folder";

const fileOf = (topic) => new URL(`./golden/${topic}.json`, import.meta.url);

/** @returns {Promise<Record<string, object[]>>} recordings by name of the scenario */
export async function readGolden(topic) {
  return JSON.parse(await readFile(fileOf(topic), "utf8")).scenarios;
}

/** One line an exchange keeps the file small and its diffs readable. */
export async function writeGolden(topic, scenarios) {
  const blocks = Object.entries(scenarios).map(([name, exchanges]) => {
    const lines = exchanges.map((exchange) => `      ${JSON.stringify(exchange)}`);
    return `    ${JSON.stringify(name)}: [\n${lines.join(",\n")}\n    ]`;
  });
  await mkdir(new URL("./golden/", import.meta.url), { recursive: true });
  await writeFile(
    fileOf(topic),
    `{\n  "source": ${JSON.stringify(SOURCE)},\n  "scenarios": {\n${blocks.join(",\n")}\n  }\n}\n`,
  );
}
