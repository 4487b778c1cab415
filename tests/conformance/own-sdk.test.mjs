// The same checks with our clients and our `serve` in place of the official ones.

import { conform } from "./harness.mjs";
import { node } from "./hosts.mjs";
import { own } from "./sdks.mjs";

conform({ ...node, name: "Node, our own SDK" }, own);
