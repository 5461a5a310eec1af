"""Calls that begin at a fixed rate, whether or not the answers keep up, over plain sockets.

A client library would use more of the machine than the service does. Seconds count from when a call
was due, so that a service that stalls is not spared the calls it kept waiting.
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

#: No load lasts longer, whatever a test does.
MOST_SECONDS, ANSWER_SECONDS = 150.0, 30.0
LOST = 0
#: Connections used in turn, so that every worker has some of them.
WIRES = 16
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def post(path: str, content: Any) -> bytes:
    """A POST as it goes over the wire."""
    body = json.dumps(content).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    """A GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


@dataclass(frozen=True)
class Reply:
    """One answer; status LOST, and why, where none came. `due` is seconds since the load began."""

    due: float
    seconds: float
    status: int
    head: bytes = b""
    body: bytes = b""
    why: str = ""


@dataclass
class Load:
    """Calls under way to one service, and the answers so far."""

    url: str
    replies: list[Reply] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    _idle: deque[Wire] = field(default_factory=deque)
    _open: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def statuses(self) -> Counter[int]:
        """How many answers there are of each status."""
        return Counter(reply.status for reply in self.replies)

    def lost(self) -> list[str]:
        """Why each call without an answer has none."""
        return [reply.why for reply in self.replies if reply.status == LOST]

    def percentile(self, share: float, status: int = 200) -> float:
        """The seconds within which that share of the answers of a status came."""
        times = sorted(reply.seconds for reply in self.replies if reply.status == status)
        return times[math.ceil(share * len(times)) - 1]

    async def at_rate(self, rate: float, make: Callable[[int], bytes]) -> None:
        """Begin `rate` calls a second until the end, then wait for the answers."""
        began = time.perf_counter()
        for number in range(int(MOST_SECONDS * rate)):
            wait = began + number / rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            elif number % 20 == 0:
                await asyncio.sleep(0)  # behind: the answers have their turn, too
            if self.ended.is_set():
                break
            self._begin(make(number), number / rate, began)
        await self._finish()

    async def at_once(self, places: int, calls: int, make: Callable[[int], bytes]) -> None:
        """So many calls in all, always `places` of them under way."""
        numbers, began = iter(range(calls)), time.perf_counter()

        async def one_after_another() -> None:
            for number in numbers:
                if self.ended.is_set():
                    return
                await self._call(make(number), time.perf_counter() - began, began)

        await asyncio.gather(*(one_after_another() for _ in range(places)))
        await self._finish()

    def _begin(self, request: bytes, due: float, began: float) -> None:
        task = asyncio.create_task(self._call(request, due, began))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=ANSWER_SECONDS + 5)
        for wire in self._idle:
            self._hang_up(wire)

    async def _call(self, request: bytes, due: float, began: float) -> None:
        wire: Wire | None = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                wire = await self._connected()
                head, body = await _exchange(wire, request)
        except (OSError, EOFError, TimeoutError) as error:
            why, seconds = f"{type(error).__name__} {error}", time.perf_counter() - began - due
            self.replies.append(Reply(due, seconds, LOST, why=why))
            if wire:
                self._hang_up(wire)
            return
        seconds = time.perf_counter() - began - due
        self.replies.append(Reply(due, seconds, int(head[9:12]), head, body))
        if b"connection: close" in head.lower():
            self._hang_up(wire)
        else:
            self._idle.append(wire)

    async def _connected(self) -> Wire:
        while self._idle and self._open >= WIRES:
            wire = self._idle.popleft()
            if not wire[0].at_eof() and not wire[0].exception():
                return wire
            self._hang_up(wire)  # the other side did, while nobody asked
        place = urlsplit(self.url)
        self._open += 1
        try:
            return await asyncio.open_connection(place.hostname, place.port)
        except BaseException:
            self._open -= 1
            raise

    def _hang_up(self, wire: Wire) -> None:
        self._open -= 1
        wire[1].close()


async def _exchange(wire: Wire, request: bytes) -> tuple[bytes, bytes]:
    reader, writer = wire
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head, await reader.readexactly(int(length.group(1)) if length else 0)


@contextmanager
def steady_load(url: str, rate: float, make: Callable[[int], bytes]) -> Iterator[Load]:
    """Load for as long as the block lasts; all answers are in after it."""
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
    """So many calls, `places` under way at a time; returns when all are answered."""
    load = Load(url)
    asyncio.run(load.at_once(places, calls, make))
    return load
