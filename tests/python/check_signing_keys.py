"""Signing keys: read here; rotated last, for the other checks believe the first ones."""

import os

from support import both


class SigningKeys:
    async def test_get(self):
        keys = await self.client.signing_key.get()
        self.assertTrue(keys.current.startswith("sig_") and keys.next.startswith("sig_"))

    async def test_rotate(self):
        before = await self.client.signing_key.get()
        after = await self.client.signing_key.rotate()
        self.assertEqual(after.current, before.next)
        self.assertNotIn(after.next, (before.current, before.next))
        self.assertEqual(await self.client.signing_key.get(), after)
        os.environ["QSTASH_CURRENT_SIGNING_KEY"], os.environ["QSTASH_NEXT_SIGNING_KEY"] = after.current, after.next


Sync, Async = both(SigningKeys)
del SigningKeys
