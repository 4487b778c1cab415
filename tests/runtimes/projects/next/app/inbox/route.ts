import { verifySignatureAppRouter } from "@repo/orchestration/client/nextjs";

export const POST = verifySignatureAppRouter(async (request) => Response.json({ read: await request.json() }));
