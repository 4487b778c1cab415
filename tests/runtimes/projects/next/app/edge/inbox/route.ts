import { verifySignatureAppRouter } from "@repo/orchestration/client/nextjs";

export const runtime = "edge";

export const POST = verifySignatureAppRouter(async (request) => Response.json({ read: await request.json() }));
