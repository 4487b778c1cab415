"""What the checks share: both clients with one way to call them, endpoints on the loopback, and patience."""

import asyncio
import http.server
import os
import threading
import time
import typing
import unittest

from qstash import AsyncQStash, QStash, Receiver

URL = os.environ["QSTASH_URL"]
TOKEN = os.environ["QSTASH_TOKEN"]
PATIENCE_SECONDS = float(os.environ.get("PATIENCE_SECONDS", "20"))
_counter = iter(range(1, 1_000_000))


class Awaited:
    """The synchronous client, whose calls are awaited as those of the asynchronous one."""

    def __init__(self, target):
        self._target = target

    def __getattr__(self, name):
        found = getattr(self._target, name)
        if not callable(found):
            return Awaited(found)

        async def call(*args, **options):
            return await asyncio.to_thread(found, *args, **options)

        return call


class Check(unittest.IsolatedAsyncioTestCase):
    """A broker's client, `self.client`, and what a check needs around it."""

    flavour: str

    def setUp(self):
        self.receiver = Receiver(os.environ["QSTASH_CURRENT_SIGNING_KEY"], os.environ["QSTASH_NEXT_SIGNING_KEY"])

    def name(self, prefix):
        """A name that no other check has."""
        return f"{prefix}-{os.getpid()}-{next(_counter)}"

    def endpoint(self, answer=lambda request, count: (200, {}, b"")):
        """A server whose requests are kept; `answer` gives status, headers and body."""
        endpoint = Endpoint(answer)
        self.addCleanup(endpoint.stop)
        return endpoint

    async def until(self, look):
        """The first truthy result of `look`, which may be a coroutine."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            seen = look()
            if asyncio.iscoroutine(seen):
                seen = await seen
            if seen:
                return seen
            if time.monotonic() > end:
                raise TimeoutError(f"not seen within {PATIENCE_SECONDS} s")
            await asyncio.sleep(0.02)

    async def letter(self, message_id):
        """The dead letter of a message, once there is one."""

        async def look():
            return (await self.client.dlq.list(filter={"message_id": message_id})).messages

        return (await self.until(look))[0]

    async def states(self, message_id, last):
        """The states of a message, oldest first, once the last is `last`."""

        async def look():
            logs = (await self.client.log.list(filter={"message_id": message_id})).logs
            states = [log.state.value for log in reversed(logs)]
            return states[-1:] == [last] and states

        return await self.until(look)


def both(check):
    """Makes the two flavours of a check: for the synchronous and for the asynchronous client."""

    def flavour(kind, client):
        def set_up(self):
            Check.setUp(self)
            self.client = client()

        members = {"flavour": kind, "setUp": set_up, "__module__": check.__module__}
        return type(f"{check.__name__}_{kind}", (check, Check), members)

    return (
        flavour("sync", lambda: Awaited(QStash(TOKEN, retry=False, base_url=URL))),
        flavour("asyncio", lambda: AsyncQStash(TOKEN, retry=False, base_url=URL)),
    )


class Request(typing.NamedTuple):
    """What an endpoint got."""

    command: str
    path: str
    headers: typing.Mapping[str, str]
    body: bytes


class Endpoint:
    """A server on the loopback."""

    def __init__(self, answer):
        self.requests = []
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                request = Request(self.command, self.path, self.headers, body)
                endpoint.requests.append(request)
                status, headers, body = answer(request, len(endpoint.requests))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
