"""The log."""

from qstash.log import LogState
from support import both


class Logs:
    async def test_entries_by_filters_and_page_by_page(self):
        label = self.name("logged")
        endpoint = self.endpoint(lambda request, count: (500, {"x-answer": "1"}, b"no"))
        sent = await self.client.message.publish(
            url=f"{endpoint.url}/hook",
            body="b",
            headers={"X-Own": "1"},
            retries=1,
            retry_delay="0",
            label=label,
            timeout=30,
            callback="http://127.0.0.1:1/callback",
            failure_callback="http://127.0.0.1:1/failure",
        )
        await self.states(sent.message_id, "FAILED")
        log = self.client.log
        # The label alone finds the callbacks too.
        own = {"label": label, "url": f"{endpoint.url}/hook"}
        for filter in (
            {"message_id": sent.message_id},
            {"message_ids": [sent.message_id]},
            own,
            {**own, "from_time": 1, "to_time": 9_999_999_999_999},
        ):
            self.assertEqual(len((await log.list(filter=filter)).logs), 7, filter)
        self.assertEqual((await log.list(filter={"label": f"{label}-other"})).logs, [])
        [failed] = (await log.list(filter={**own, "state": LogState.FAILED})).logs
        self.assertEqual((failed.message_id, failed.url, failed.method), (sent.message_id, f"{endpoint.url}/hook", "POST"))
        self.assertEqual((failed.max_retries, failed.retry_delay_expression, failed.timeout), (1, "0", 30_000))
        self.assertEqual((failed.callback, failed.failure_callback), ("http://127.0.0.1:1/callback", "http://127.0.0.1:1/failure"))
        self.assertEqual((failed.label, failed.body_base64, failed.headers["X-Own"]), (label, "Yg==", ["1"]))
        error = (await log.list(filter={**own, "state": LogState.ERROR})).logs[0]
        self.assertEqual((error.response_status, error.response_body), (500, "no"))
        self.assertEqual(error.response_headers["X-Answer"], ["1"])
        seen, cursor = [], None
        while True:
            page = await log.list(cursor=cursor, count=3, filter=own)
            seen += page.logs
            cursor = page.cursor
            if not cursor:
                break
        self.assertEqual(len(seen), 7)


Sync, Async = both(Logs)
del Logs
