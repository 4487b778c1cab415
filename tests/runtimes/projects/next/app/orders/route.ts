import { engine, order } from "@/lib/engine";

export async function POST(request: Request) {
  return Response.json(await engine.executeWorkflow(order, await request.json()), { status: 202 });
}
