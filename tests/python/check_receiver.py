"""The receiver on real deliveries."""

from qstash.errors import SignatureError
from support import both


class Received:
    async def delivered(self, **message):
        endpoint = self.endpoint()
        await self.client.message.publish(url=f"{endpoint.url}/hook", **message)
        request = await self.until(lambda: endpoint.requests and endpoint.requests[0])
        return {
            "signature": request.headers["upstash-signature"],
            "body": request.body.decode(),
            "url": f"{endpoint.url}/hook",
        }

    async def test_a_delivery_is_believed(self):
        for body in ("", "text", "häßlich"):
            self.receiver.verify(**await self.delivered(body=body.encode()))

    async def test_another_body_or_url_is_not(self):
        delivered = await self.delivered(body="text")
        with self.assertRaises(SignatureError):
            self.receiver.verify(**{**delivered, "body": "other"})
        with self.assertRaises(SignatureError):
            self.receiver.verify(**{**delivered, "url": "https://elsewhere.test"})

    async def test_a_callback_is_believed(self):
        endpoint, back = self.endpoint(), self.endpoint()
        await self.client.message.publish(url=endpoint.url, callback=f"{back.url}/back")
        request = await self.until(lambda: back.requests and back.requests[0])
        signature = request.headers["upstash-signature"]
        self.receiver.verify(signature=signature, body=request.body.decode(), url=f"{back.url}/back")


Sync, Async = both(Received)
del Received
