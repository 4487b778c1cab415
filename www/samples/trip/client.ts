import { Client } from "@repo/orchestration/workflows";
import type { Trip } from "./workflow";

export const startTrip = (url: string, trip: Trip) => new Client().trigger({ url, body: trip, label: "sample-trip" });
