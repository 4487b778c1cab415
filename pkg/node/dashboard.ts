/** The dashboard's files, in the folder `dashboard` of the installed package. Which of them is sent, and how, the core says. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { join, sep } from "node:path";

import type { FileTuple } from "./core.js";

/** Of the file that is bundled from this one, `dist/node/broker.cjs`. */
const OWN_FOLDER = join(__dirname, "../../dashboard");
const INDEX = "index.html";
export const NOT_MODIFIED = 304;
const OK = 200;

/** A file as it is sent. */
export interface Page {
  status: number;
  headers: string;
  body: Uint8Array;
}

export class Dashboard {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** The dashboard in a folder, by default that of the package; `undefined` if there is none. */
  static find(folder = OWN_FOLDER): Dashboard | undefined {
    return existsSync(join(folder, INDEX)) ? new Dashboard(folder) : undefined;
  }

  /** The first of `files` that is there, or word that the client has it already: `ifNoneMatch` is that header's value. */
  async page(files: FileTuple[], ifNoneMatch: string | undefined): Promise<Page | undefined> {
    for (const [name, status, headers] of files) {
      const body = await this.#read(name);
      if (!body) continue;
      if (status !== OK) return { status, headers, body };
      const tag = `"${createHash("sha256").update(body).digest("base64url")}"`;
      const page = { status, headers: `${headers}\netag\n${tag}`, body };
      const isKnown = ifNoneMatch?.split(",").some((known) => known.trim().replace(/^W\//, "") === tag);
      return isKnown ? { ...page, status: NOT_MODIFIED, body: new Uint8Array() } : page;
    }
    return undefined;
  }

  /** A file within the folder, which no link leads out of. Files are small: none is kept. */
  async #read(name: string): Promise<Uint8Array | undefined> {
    try {
      const folder = await realpath(this.#folder);
      const path = await realpath(join(folder, name));
      if (!path.startsWith(folder + sep)) return undefined;
      const file = await open(path);
      try {
        return (await file.stat()).isFile() ? await file.readFile() : undefined;
      } finally {
        await file.close();
      }
    } catch {
      // It isn't there, or can't be read: both are no page.
      return undefined;
    }
  }
}
