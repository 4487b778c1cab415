import { Client } from "@repo/orchestration/workflows";

export const runtime = "edge";

export async function POST(request: Request) {
  const url = `${process.env.UPSTASH_WORKFLOW_URL}/edge/order`;
  return Response.json(await new Client().trigger({ url, body: await request.json() }), { status: 202 });
}
