import { Client } from "@repo/orchestration/client";

export async function POST(request: Request) {
  const url = `${process.env.UPSTASH_WORKFLOW_URL}/inbox`;
  const sent = await new Client().publishJSON({ url, body: await request.json(), delay: 1 });
  return Response.json(sent, { status: 202 });
}
