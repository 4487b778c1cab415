"""URL groups."""

from qstash.errors import QStashError
from support import both


class UrlGroups:
    async def test_upsert_get_list_remove_delete(self):
        name = self.name("group")
        group = self.client.url_group
        await group.upsert_endpoints(name, [{"url": "https://one.test/"}, {"url": "https://two.test/", "name": "two"}])
        made = await group.get(name)
        self.assertEqual({(e.url, e.name or None) for e in made.endpoints}, {("https://one.test/", None), ("https://two.test/", "two")})
        self.assertIn(made, await group.list())
        await group.remove_endpoints(name, [{"name": "two"}])
        self.assertEqual([e.url for e in (await group.get(name)).endpoints], ["https://one.test/"])
        await group.delete(name)
        with self.assertRaisesRegex(QStashError, "404"):
            await group.get(name)

    async def test_publish_enqueue_and_batch(self):
        name = self.name("group")
        endpoint = self.endpoint()
        urls = {f"{endpoint.url}/a", f"{endpoint.url}/b"}
        await self.client.url_group.upsert_endpoints(name, [{"url": url} for url in urls])
        sent = await self.client.message.publish_json(url_group=name, body=1)
        self.assertEqual({one.url for one in sent}, urls)
        sent = await self.client.message.enqueue_json(queue=self.name("queue"), url_group=name, body=1)
        self.assertEqual({one.url for one in sent}, urls)
        [sent] = await self.client.message.batch_json([{"url_group": name, "body": 1}])
        self.assertEqual({one.url for one in sent}, urls)
        await self.until(lambda: len(endpoint.requests) == 6)
        self.assertEqual({request.headers["upstash-topic-name"] for request in endpoint.requests}, {name})


Sync, Async = both(UrlGroups)
del UrlGroups
