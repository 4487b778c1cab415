"""Redaction."""

from support import both


class Redaction:
    async def test_body_and_headers(self):
        for redact in ({"body": True, "header": True}, {"body": True, "header": ["X-Secret"]}):
            sent = await self.client.message.publish(
                url="https://app.test", delay="1d", body="secret", headers={"X-Secret": "secret"}, redact=redact
            )
            message = await self.client.message.get(sent.message_id)
            self.assertRegex(message.body, "^REDACTED:")
            self.assertRegex(message.headers["X-Secret"][0], "^REDACTED:")


Sync, Async = both(Redaction)
del Redaction
