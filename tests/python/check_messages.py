"""Publishing, enqueuing, batches, and what waits."""

import time

from qstash.errors import QStashError
from support import both


class Messages:
    async def test_publish_with_every_option(self):
        endpoint = self.endpoint(lambda request, count: (500 if count == 1 else 200, {}, b"answer"))
        back = self.endpoint()
        sent = await self.client.message.publish(
            url=f"{endpoint.url}/hook?a=1",
            body="héllo".encode(),
            content_type="text/csv",
            method="PUT",
            headers={"X-Own": "own"},
            callback=f"{back.url}/callback",
            callback_headers={"Forward-X-Back": "back"},
            failure_callback=f"{back.url}/failure",
            failure_callback_headers={"Forward-X-Back": "failed"},
            retries=2,
            retry_delay="0",
            timeout=30,
            label="blue",
            content_based_deduplication=True,
        )
        self.assertFalse(sent.deduplicated)
        await self.until(lambda: len(endpoint.requests) == 2 and len(back.requests) == 2)
        for retried, request in enumerate(endpoint.requests):
            self.assertEqual((request.command, request.path, request.body), ("PUT", "/hook?a=1", "héllo".encode()))
            for name, value in {
                "content-type": "text/csv",
                "x-own": "own",
                "upstash-message-id": sent.message_id,
                "upstash-retried": str(retried),
                "upstash-label": "blue",
                "user-agent": "Upstash-QStash",
            }.items():
                self.assertEqual(request.headers[name], value, name)
        self.assertEqual({request.headers["x-back"] for request in back.requests}, {"back"})

    async def test_publish_json(self):
        endpoint = self.endpoint()
        await self.client.message.publish_json(url=endpoint.url, body={"a": [1, "ü"]})
        request = await self.until(lambda: endpoint.requests and endpoint.requests[0])
        self.assertEqual(request.headers["content-type"], "application/json")
        self.assertEqual(request.body, b'{"a": [1, "\\u00fc"]}')

    async def test_a_duplicate_is_told(self):
        endpoint = self.endpoint()
        message = {"url": endpoint.url, "deduplication_id": self.name("dedup")}
        first = await self.client.message.publish(**message)
        second = await self.client.message.publish(**message)
        self.assertEqual((second.message_id, second.deduplicated), (first.message_id, True))

    async def test_delay_and_not_before(self):
        endpoint = self.endpoint()
        before = time.time()
        await self.client.message.publish(url=endpoint.url, delay=1)
        await self.client.message.publish(url=endpoint.url, delay="1s")
        await self.client.message.publish(url=endpoint.url, not_before=int(before) + 2)
        await self.until(lambda: len(endpoint.requests) == 3)
        self.assertGreaterEqual(time.time() - before, 1)

    async def test_get_shows_a_waiting_message(self):
        sent = await self.client.message.publish(
            url="https://app.test/later",
            body="text",
            headers={"X-Own": "1"},
            delay="1h",
            retries=5,
            retry_delay="1000",
            callback="https://app.test/callback",
            failure_callback="https://app.test/failure",
            label="shown",
        )
        message = await self.client.message.get(sent.message_id)
        self.assertEqual(message.message_id, sent.message_id)
        self.assertEqual((message.url, message.body, message.method), ("https://app.test/later", "text", "POST"))
        self.assertEqual((message.max_retries, message.retry_delay_expression), (5, "1000"))
        self.assertEqual(message.callback, "https://app.test/callback")
        self.assertEqual(message.failure_callback, "https://app.test/failure")
        self.assertEqual((message.headers["X-Own"], message.label), (["1"], "shown"))
        self.assertAlmostEqual(message.not_before / 1000, time.time() + 3600, delta=30)
        self.assertAlmostEqual(message.created_at / 1000, time.time(), delta=30)
        await self.client.message.cancel(sent.message_id)
        with self.assertRaisesRegex(QStashError, "404"):
            await self.client.message.get(sent.message_id)

    async def test_bytes_are_shown_as_base64(self):
        sent = await self.client.message.publish(url="https://app.test", body=bytes([0, 255]), delay="1h")
        message = await self.client.message.get(sent.message_id)
        self.assertEqual((message.body, message.body_base64), (None, "AP8="))

    async def test_cancel_many(self):
        publish = self.client.message.publish
        ids = [(await publish(url="https://app.test/later", delay="1d")).message_id for _ in range(3)]
        self.assertEqual(await self.client.message.cancel_many(ids[:2]), 2)
        with self.assertRaisesRegex(QStashError, "404"):
            await self.client.message.get(ids[0])
        self.assertEqual((await self.client.message.get(ids[2])).message_id, ids[2])

    async def test_cancel_all(self):
        await self.client.message.publish(url="https://app.test/later", delay="1d")
        self.assertGreaterEqual(await self.client.message.cancel_all(), 1)
        self.assertEqual(await self.client.message.cancel_all(), 0)

    async def test_a_cancelled_message_is_read_from_the_log(self):
        sent = await self.client.message.publish(url="https://app.test/later", delay="1d")
        await self.client.message.cancel(sent.message_id)
        await self.states(sent.message_id, "CANCELED")

    async def test_enqueue(self):
        endpoint = self.endpoint()
        queue = self.name("queue")
        for number in range(3):
            await self.client.message.enqueue_json(queue=queue, url=endpoint.url, body=number)
        await self.client.message.enqueue(queue=queue, url=endpoint.url, body="3")
        await self.until(lambda: len(endpoint.requests) == 4)
        self.assertEqual([int(request.body) for request in endpoint.requests], [0, 1, 2, 3])

    async def test_batch(self):
        endpoint = self.endpoint()
        sent = await self.client.message.batch(
            [
                {"url": f"{endpoint.url}/text", "body": "text", "content_type": "text/plain", "method": "PUT"},
                {"url": f"{endpoint.url}/empty", "headers": {"X-Own": "1"}, "retries": 0},
            ]
        )
        await self.until(lambda: len(endpoint.requests) == 2)
        found = {request.path: request for request in endpoint.requests}
        self.assertEqual((found["/text"].body, found["/text"].command), (b"text", "PUT"))
        self.assertEqual((found["/empty"].body, found["/empty"].headers["x-own"]), (b"", "1"))
        ids = [found[path].headers["upstash-message-id"] for path in ("/text", "/empty")]
        self.assertEqual([one.message_id for one in sent], ids)

    async def test_batch_json(self):
        endpoint = self.endpoint()
        messages = [{"url": f"{endpoint.url}/{n}", "body": {"n": n}} for n in range(3)]
        self.assertEqual(len(await self.client.message.batch_json(messages)), 3)
        await self.until(lambda: len(endpoint.requests) == 3)

    async def test_batch_for_a_queue(self):
        endpoint = self.endpoint()
        queue = self.name("queue")
        await self.client.message.batch_json([{"url": endpoint.url, "body": n, "queue": queue} for n in range(3)])
        await self.until(lambda: len(endpoint.requests) == 3)
        self.assertEqual([int(request.body) for request in endpoint.requests], [0, 1, 2])

    async def test_an_error_tells_status_and_sentence(self):
        with self.assertRaisesRegex(QStashError, 'status: 400, body: {"error":"'):
            await self.client.message.publish(url="https://app.test", delay="soon")


Sync, Async = both(Messages)
del Messages
