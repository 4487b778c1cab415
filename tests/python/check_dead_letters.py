"""The dead letter queue."""

from qstash.errors import QStashError
from support import both


class DeadLetters:
    async def fail(self, **message):
        endpoint = self.endpoint(lambda request, count: (500, {"x-answer": "1"}, b"no"))
        sent = await self.client.message.publish(url=f"{endpoint.url}/hook", retries=0, **message)
        return await self.letter(sent.message_id)

    async def test_get_and_delete(self):
        letter = await self.fail(body="b", headers={"X-Own": "1"}, label="dead")
        shown = await self.client.dlq.get(letter.dlq_id)
        self.assertEqual(shown, letter)
        self.assertEqual((shown.response_status, shown.response_body, shown.body), (500, "no", "b"))
        self.assertEqual((shown.response_headers["X-Answer"], shown.headers["X-Own"]), (["1"], ["1"]))
        self.assertEqual((shown.max_retries, shown.label, shown.method), (0, "dead", "POST"))
        await self.client.dlq.delete(letter.dlq_id)
        with self.assertRaisesRegex(QStashError, "404"):
            await self.client.dlq.get(letter.dlq_id)

    async def test_list_by_filters_and_page_by_page(self):
        label = self.name("dead")
        letters = [await self.fail(label=label) for _ in range(3)]
        dlq = self.client.dlq
        for filter in (
            {"label": label},
            {"label": label, "response_status": 500, "from_time": 1, "to_time": 9_999_999_999_999},
        ):
            self.assertEqual(len((await dlq.list(filter=filter)).messages), 3)
        self.assertEqual((await dlq.list(filter={"label": label, "response_status": 418})).messages, [])
        self.assertEqual((await dlq.list(filter={"label": label, "caller_ip": "1.2.3.4"})).messages, [])
        [found] = (await dlq.list(filter={"url": letters[0].url, "message_id": letters[0].message_id})).messages
        self.assertEqual(found, letters[0])
        first = await dlq.list(count=2, filter={"label": label})
        second = await dlq.list(count=2, filter={"label": label}, cursor=first.cursor)
        self.assertEqual((len(first.messages), len(second.messages), second.cursor or None), (2, 1, None))

    async def test_delete_many(self):
        letters = [await self.fail() for _ in range(2)]
        self.assertEqual(await self.client.dlq.delete_many([letter.dlq_id for letter in letters] + ["1-1"]), 2)


Sync, Async = both(DeadLetters)
del DeadLetters
