/** Sends what GitHub would send: the event as JSON, signed with the secret that both sides know. */
export async function sendIssue(
  url: string,
  issue: { number: number; title: string },
  secret: string,
): Promise<Response> {
  const body = JSON.stringify({ action: "opened", issue });
  const text = new TextEncoder();
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", text.encode(secret), hmac, false, ["sign"]);
  const signature = Buffer.from(await crypto.subtle.sign(hmac, key, text.encode(body))).toString("hex");
  return fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-github-event": "issues",
      "x-github-delivery": crypto.randomUUID(),
      "x-hub-signature-256": `sha256=${signature}`,
    },
    body,
  });
}
