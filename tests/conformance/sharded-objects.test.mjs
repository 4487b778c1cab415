import { conform } from "./harness.mjs";
import { shardedObjects } from "./hosts.mjs";

conform(shardedObjects);
