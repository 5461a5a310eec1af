"""Load at a fixed rate over plain sockets, independent of how fast the answers come.

A client library would use more CPU than the service. Seconds count from the time a call was due, so
that the delays of a stalled service are measured in full.
"""

import asyncio
import json
import math
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

#: Maximum duration of a load.
MOST_SECONDS, ANSWER_SECONDS = 150.0, 30.0
LOST = 0
#: Number of connections, so that each worker has some.
CONNECTIONS = 16
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def post(path: str, content: Any) -> bytes:
    """The bytes of a POST request."""
    body = json.dumps(content).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    """The bytes of a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


@dataclass(frozen=True)
class Reply:
    """One answer; status LOST with a reason without one. `due` is in seconds since the start."""

    due: float
    seconds: float
    status: int
    head: bytes = b""
    body: bytes = b""
    why: str = ""


@dataclass
class Load:
    """A load on one service, with the answers so far."""

    url: str
    replies: list[Reply] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    _idle: deque[Connection] = field(default_factory=deque)
    _open: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def statuses(self) -> Counter[int]:
        """The number of answers by status."""
        return Counter(reply.status for reply in self.replies)

    def lost(self) -> list[str]:
        """The reasons of calls without an answer."""
        return [reply.why for reply in self.replies if reply.status == LOST]

    def percentile(self, share: float, status: int = 200) -> float:
        """The quantile of the seconds of answers with this status."""
        times = sorted(reply.seconds for reply in self.replies if reply.status == status)
        return times[math.ceil(share * len(times)) - 1]

    async def at_rate(self, rate: float, make: Callable[[int], bytes]) -> None:
        """Start `rate` calls per second until `ended` is set, then wait for the answers."""
        began = time.perf_counter()
        for number in range(int(MOST_SECONDS * rate)):
            wait = began + number / rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            elif number % 20 == 0:
                await asyncio.sleep(0)  # behind schedule: let answers be read
            if self.ended.is_set():
                break
            self._begin(make(number), number / rate, began)
        await self._finish()

    async def at_once(self, places: int, calls: int, make: Callable[[int], bytes]) -> None:
        """Make `calls` calls, always `places` of them at a time."""
        numbers, began = iter(range(calls)), time.perf_counter()

        async def call_in_sequence() -> None:
            for number in numbers:
                if self.ended.is_set():
                    return
                await self._call(make(number), time.perf_counter() - began, began)

        await asyncio.gather(*(call_in_sequence() for _ in range(places)))
        await self._finish()

    def _begin(self, request: bytes, due: float, began: float) -> None:
        task = asyncio.create_task(self._call(request, due, began))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=ANSWER_SECONDS + 5)
        for connection in self._idle:
            self._close(connection)

    async def _call(self, request: bytes, due: float, began: float) -> None:
        connection: Connection | None = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                connection = await self._connected()
                head, body = await _exchange(connection, request)
        except (OSError, EOFError, TimeoutError) as error:
            why, seconds = f"{type(error).__name__} {error}", time.perf_counter() - began - due
            self.replies.append(Reply(due, seconds, LOST, why=why))
            if connection:
                self._close(connection)
            return
        seconds = time.perf_counter() - began - due
        self.replies.append(Reply(due, seconds, int(head[9:12]), head, body))
        if b"connection: close" in head.lower():
            self._close(connection)
        else:
            self._idle.append(connection)

    async def _connected(self) -> Connection:
        while self._idle and self._open >= CONNECTIONS:
            connection = self._idle.popleft()
            if not connection[0].at_eof() and not connection[0].exception():
                return connection
            self._close(connection)  # closed by the service while idle
        place = urlsplit(self.url)
        self._open += 1
        try:
            return await asyncio.open_connection(place.hostname, place.port)
        except BaseException:
            self._open -= 1
            raise

    def _close(self, connection: Connection) -> None:
        self._open -= 1
        connection[1].close()


async def _exchange(connection: Connection, request: bytes) -> tuple[bytes, bytes]:
    reader, writer = connection
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head, await reader.readexactly(int(length.group(1)) if length else 0)


@contextmanager
def steady_load(url: str, rate: float, make: Callable[[int], bytes]) -> Iterator[Load]:
    """Run a load during the block; all answers have arrived after it."""
    load = Load(url)
    thread = threading.Thread(target=lambda: asyncio.run(load.at_rate(rate, make)))
    thread.start()
    try:
        yield load
    finally:
        load.ended.set()
        thread.join(ANSWER_SECONDS + 10)
    assert not thread.is_alive()


def calls_at_once(url: str, places: int, calls: int, make: Callable[[int], bytes]) -> Load:
    """Make `calls` calls, `places` at a time; return when all are answered."""
    load = Load(url)
    asyncio.run(load.at_once(places, calls, make))
    return load
