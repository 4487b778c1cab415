import { durableObject } from "../conformance/hosts.mjs";
import { python } from "./suite.mjs";

python(durableObject);
