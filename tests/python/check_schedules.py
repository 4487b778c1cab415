"""Schedules."""

import time

from qstash.errors import QStashError
from support import both

NEVER = "0 0 29 2 *"


class Schedules:
    async def test_create_get_list_delete(self):
        schedule = self.client.schedule
        id = await schedule.create(
            destination="https://app.test/cron",
            cron=NEVER,
            body="text",
            content_type="text/plain",
            method="PUT",
            headers={"X-Own": "1"},
            retries=2,
            retry_delay="1000",
            callback="https://app.test/callback",
            failure_callback="https://app.test/failure",
            delay=60,
            timeout=30,
            label="nightly",
            flow_control={"key": "cron", "parallelism": 2, "rate": 3, "period": "1m"},
        )
        made = await schedule.get(id)
        self.assertEqual((made.schedule_id, made.cron, made.destination), (id, NEVER, "https://app.test/cron"))
        self.assertEqual((made.body, made.method, made.headers["X-Own"]), ("text", "PUT", ["1"]))
        self.assertEqual((made.retries, made.retry_delay_expression, made.delay, made.timeout), (2, "1000", 60, 30))
        self.assertEqual((made.callback, made.failure_callback), ("https://app.test/callback", "https://app.test/failure"))
        self.assertEqual((made.label, made.paused), ("nightly", False))
        flow = made.flow_control
        self.assertEqual((flow.key, flow.parallelism, flow.rate, flow.period), ("cron", 2, 3, 60))
        self.assertAlmostEqual(made.created_at / 1000, time.time(), delta=30)
        self.assertGreater(made.next_schedule_time, made.created_at)
        self.assertIn(id, [one.schedule_id for one in await schedule.list()])
        await schedule.delete(id)
        with self.assertRaisesRegex(QStashError, "404"):
            await schedule.get(id)

    async def test_create_json_by_id_for_a_queue_pause_and_resume(self):
        schedule = self.client.schedule
        name = self.name("nightly")
        create = schedule.create_json
        id = await create(destination="https://app.test/cron", cron=NEVER, body={"n": 1}, schedule_id=name, queue=name)
        self.assertEqual(id, name)
        made = await schedule.get(id)
        self.assertEqual((made.body, made.queue), ('{"n": 1}', name))
        await schedule.pause(id)
        self.assertTrue((await schedule.get(id)).paused)
        await schedule.resume(id)
        self.assertFalse((await schedule.get(id)).paused)
        await schedule.delete(id)


Sync, Async = both(Schedules)
del Schedules
