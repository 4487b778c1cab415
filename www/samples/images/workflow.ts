import type { WorkflowContext } from "@repo/orchestration/workflows";
import { save } from "../services";
import { draw, encodePng, shrink } from "./pixels";

export interface Batch {
  pictures: number;
  /** Of a thumbnail, in pixels. */
  width: number;
}

export async function images(context: WorkflowContext<Batch>) {
  const { pictures, width } = context.requestPayload;
  const numbers = Array.from({ length: pictures }, (_, index) => index + 1);

  // All are asked for at once; how many run at once is the flow control's to say.
  const thumbnails = await Promise.all(
    numbers.map((number) =>
      context.run(`thumbnail ${number}`, async () => {
        const from = Date.now();
        const picture = await draw(number, 640, 480);
        const file = await save(context, `thumbnail-${number}.png`, await encodePng(shrink(picture, width)));
        return { ...file, from, to: Date.now() };
      }),
    ),
  );
  const bytes = thumbnails.reduce((sum, thumbnail) => sum + thumbnail.bytes, 0);
  return { thumbnails, bytes };
}
