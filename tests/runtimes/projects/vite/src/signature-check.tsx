import { OrchestrationError } from "@repo/orchestration";
import { Receiver } from "@repo/orchestration/client";
import { type FormEvent, useState } from "react";

/** Tells whether a message was signed with a key. Everything stays in the page. */
export function SignatureCheck() {
  const [verdict, setVerdict] = useState("");

  async function check(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setVerdict("");
    const fields = new FormData(event.currentTarget);
    const [key, signature, body] = ["key", "signature", "body"].map((name) => String(fields.get(name)));
    try {
      const receiver = new Receiver({ currentSigningKey: key, nextSigningKey: key });
      await receiver.verify({ signature, body });
      setVerdict("valid");
    } catch (error) {
      setVerdict(error instanceof OrchestrationError ? error.code : String(error));
    }
  }

  return (
    <form onSubmit={check}>
      <label>
        Signing key <input name="key" />
      </label>
      <label>
        Signature <textarea name="signature" />
      </label>
      <label>
        Body <textarea name="body" />
      </label>
      <button type="submit">Check</button>
      <p role="status">{verdict}</p>
    </form>
  );
}
