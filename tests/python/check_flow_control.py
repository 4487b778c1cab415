"""Flow control."""

from support import both


class FlowControl:
    async def test_get_pause_resume_pin_unpin_reset(self):
        key = self.name("key")
        endpoint = self.endpoint()
        flow = self.client.flow_control
        limits = {"key": key, "parallelism": 2, "rate": 3, "period": 60}
        sent = await self.client.message.publish(url=endpoint.url, flow_control=limits)
        await self.states(sent.message_id, "DELIVERED")
        info = await flow.get(key)
        self.assertEqual((info.key, info.parallelism_max, info.rate_max, info.rate_period), (key, 2, 3, 60))
        self.assertEqual((info.wait_list_size, info.parallelism_count, info.rate_count), (0, 0, 1))
        self.assertGreater(info.rate_period_start, 0)
        await flow.pause(key)
        self.assertTrue((await flow.get(key)).is_paused)
        await flow.resume(key)
        self.assertFalse((await flow.get(key)).is_paused)
        await flow.pin(key, {"parallelism": 7, "rate": 8, "period": 9})
        info = await flow.get(key)
        self.assertEqual((info.parallelism_max, info.rate_max, info.rate_period), (7, 8, 9))
        self.assertTrue(info.is_pinned_parallelism and info.is_pinned_rate)
        await flow.unpin(key, {"parallelism": True, "rate": True})
        info = await flow.get(key)
        self.assertFalse(info.is_pinned_parallelism or info.is_pinned_rate)
        await flow.reset_rate(key)
        self.assertEqual((await flow.get(key)).rate_count, 0)

    async def test_a_message_names_its_key(self):
        limits = {"key": self.name("key"), "parallelism": 2, "rate": 3, "period": "1m"}
        sent = await self.client.message.publish(url="https://app.test", delay="1d", flow_control=limits)
        flow = (await self.client.message.get(sent.message_id)).flow_control
        self.assertEqual((flow.key, flow.parallelism, flow.rate, flow.period), (limits["key"], 2, 3, 60))

    async def test_global_parallelism(self):
        info = await self.client.flow_control.get_global_parallelism()
        self.assertGreaterEqual(info.parallelism_max, info.parallelism_count)


Sync, Async = both(FlowControl)
del FlowControl
