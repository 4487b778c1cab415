import { node } from "../conformance/hosts.mjs";
import { python } from "./suite.mjs";

python(node);
