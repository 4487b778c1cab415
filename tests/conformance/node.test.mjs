import { conform } from "./harness.mjs";
import { node } from "./hosts.mjs";

conform(node);
