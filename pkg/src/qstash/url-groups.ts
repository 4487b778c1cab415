/** URL groups: a name for several endpoints, each of which gets its own copy of a message. */
import type { CallOptions } from "../config.js";
import type { Caller } from "./caller.js";

/** A member of a URL group. */
export interface Endpoint {
  /** A name within the group. */
  name?: string;
  url: string;
}

/** Endpoints to add. */
export interface AddEndpointsRequest {
  /** The URL group: letters, digits, `-`, `_` and `.`. */
  name: string;
  endpoints: Endpoint[];
}

/** Endpoints to remove, by their URL or their name. */
export interface RemoveEndpointsRequest {
  /** The URL group. */
  name: string;
  endpoints: ({ name: string; url?: string } | { name?: string; url: string })[];
}

/** A URL group, as the broker shows it. Times are Unix milliseconds. */
export interface UrlGroup {
  name: string;
  endpoints: Endpoint[];
  createdAt: number;
  updatedAt: number;
}

/** All URL groups. */
export class UrlGroups {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Adds endpoints to a URL group, which is made if there is none of that name. */
  async addEndpoints(request: AddEndpointsRequest, options?: CallOptions): Promise<void> {
    await this.#caller.call("urlGroups.addEndpoints", request, options);
  }

  /** Removes endpoints from a URL group. A group without endpoints is deleted. */
  async removeEndpoints(request: RemoveEndpointsRequest, options?: CallOptions): Promise<void> {
    await this.#caller.call("urlGroups.removeEndpoints", request, options);
  }

  /** Shows all URL groups. */
  async list(options?: CallOptions): Promise<UrlGroup[]> {
    return (await this.#caller.call("urlGroups.list", null, options)) as UrlGroup[];
  }

  /** Shows one URL group. */
  async get(name: string, options?: CallOptions): Promise<UrlGroup> {
    return (await this.#caller.call("urlGroups.get", name, options)) as UrlGroup;
  }

  /** Deletes a URL group. */
  async delete(name: string, options?: CallOptions): Promise<void> {
    await this.#caller.call("urlGroups.delete", name, options);
  }
}
