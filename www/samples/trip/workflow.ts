import type { FailureFunctionInput, WorkflowContext } from "@repo/orchestration/workflows";
import { enter, release, reserve } from "../services";

export interface Trip {
  to: string;
  travellers: number;
}

export async function trip(context: WorkflowContext<Trip>) {
  const { to, travellers } = context.requestPayload;
  const book = (item: string, quantity: number) =>
    context.run(
      `book ${item}`,
      async () => {
        const reservation = await reserve(context, item, quantity);
        await enter(context, {
          kind: `${item} booked`,
          text: `${quantity} × ${item}, ${to}`,
          amount: reservation.price * quantity,
        });
        return reservation;
      },
      {
        retries: 2,
        retryDelay: "1s",
        // If the run fails later: the last booking first.
        compensate: async (reservation) => {
          await release(context, reservation);
          await enter(context, { kind: `${item} cancelled`, text: `${quantity} × ${item}, ${to}` });
        },
      },
    );

  await book("flight", travellers);
  await book("hotel", Math.ceil(travellers / 2));
  await book("car", Math.ceil(travellers / 4));
  return { booked: ["flight", "hotel", "car"] };
}

/** Runs when the run has failed for good, after the compensations. */
export const apologise = ({ context, failResponse }: FailureFunctionInput<Trip>) =>
  enter(context, { kind: "apology", text: failResponse });
