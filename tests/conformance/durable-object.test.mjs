import { conform } from "./harness.mjs";
import { durableObject } from "./hosts.mjs";

conform(durableObject);
