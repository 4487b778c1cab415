"""Queues."""

import time

from qstash.errors import QStashError
from support import both


class Queues:
    async def test_upsert_get_list_delete(self):
        name = self.name("queue")
        queue = self.client.queue
        await queue.upsert(name, parallelism=2)
        made = await queue.get(name)
        self.assertEqual((made.name, made.parallelism, made.paused, made.lag), (name, 2, False, 0))
        self.assertAlmostEqual(made.created_at / 1000, time.time(), delta=30)
        self.assertAlmostEqual(made.updated_at / 1000, time.time(), delta=30)
        self.assertIn(made, await queue.list())
        await queue.upsert(name, parallelism=3, paused=True)
        changed = await queue.get(name)
        self.assertEqual((changed.parallelism, changed.paused), (3, True))
        await queue.delete(name)
        with self.assertRaisesRegex(QStashError, "404"):
            await queue.get(name)

    async def test_pause_and_resume(self):
        name = self.name("queue")
        queue = self.client.queue
        endpoint = self.endpoint()
        await queue.upsert(name)
        await queue.pause(name)
        await self.client.message.enqueue(queue=name, url=endpoint.url, body="1")
        paused = await queue.get(name)
        self.assertEqual((paused.paused, paused.lag), (True, 1))
        self.assertEqual(endpoint.requests, [])
        await queue.resume(name)
        await self.until(lambda: endpoint.requests)


Sync, Async = both(Queues)
del Queues
