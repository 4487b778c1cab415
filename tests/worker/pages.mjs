// A dashboard of a few files, as a static build lays them out; and a request whose path is sent as it is written.

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { folder } from "./support.mjs";

export const FILES = {
  "index.html": "<title>overview</title>",
  "runs.html": "<title>runs</title>",
  "runs.txt": "0:payload of runs",
  "404.html": "<title>not here</title>",
  "icon.svg": "<svg/>",
  "_next/static/chunks/app-0123.js": "console.log(1)",
  "_next/static/media/face-4567.woff2": "face",
};

/** What browsers send for a page. */
export const BROWSER = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

/** Writes the files into a folder, and beside it a secret; `links` lead there. */
export function writePages(path = join(folder(), "dashboard"), { links = false } = {}) {
  const put = (file, text) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  for (const [name, text] of Object.entries(FILES)) put(join(path, name), text);
  put(join(path, "../secret.txt"), "a secret");
  put(join(path, ".hidden.txt"), "a secret");
  if (links) {
    symlinkSync("../secret.txt", join(path, "link.txt"));
    symlinkSync("..", join(path, "up"));
  }
  return path;
}

/** Paths that lead out of the folder, one way or another. */
export const ESCAPES = [
  "/../secret.txt",
  "/_next/../../secret.txt",
  "/%2e%2e/secret.txt",
  "/_next/%2E%2E/%2e%2e/secret.txt",
  "/..%2fsecret.txt",
  "/..%5csecret.txt",
  "/_next/..%2f..%2fsecret.txt",
  "//secret.txt",
  "/.hidden.txt",
  "/%2ehidden.txt",
];
/** Those that links on disk lead to. */
export const LINKS = ["/link.txt", "/up/secret.txt"];

/** Like `fetch`, which would normalise the path and refuse some headers. */
export function ask(base, path, { method = "GET", headers = {}, body } = {}) {
  const { hostname, port } = new URL(base);
  return new Promise((answered, failed) => {
    request({ hostname, port, path, method, headers }, async (answer) => {
      let text = "";
      for await (const chunk of answer) text += chunk;
      answered({ status: answer.statusCode, headers: answer.headers, text });
    })
      .on("error", failed)
      .end(body);
  });
}
