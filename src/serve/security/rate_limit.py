"""Limits calls per second of each client, and concurrent calls per worker."""

import math
import time
from collections.abc import Callable
from types import TracebackType

from serve.errors import TooMany


class RateLimiter:
    """A token bucket per client, which holds one second's worth of calls.

    `share` is this worker's part of each rate, as workers do not communicate.
    """

    def __init__(self, share: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, client: str, rate: float) -> None:
        """Take a token for one call of a client. Raises TooMany, with the time to wait, without one."""
        fill_rate = rate * self._share
        capacity = max(1.0, fill_rate)
        now = self._clock()
        left, before = self._buckets.get(client, (capacity, now))
        left = min(capacity, left + (now - before) * fill_rate)
        if left < 1.0:
            self._buckets[client] = left, now
            wait = math.ceil((1.0 - left) / fill_rate)
            raise TooMany(f"this client is limited to {rate:g} calls per second", wait)
        self._buckets[client] = left - 1.0, now


class ConcurrencyLimit:
    """Limits the calls in flight; further calls are refused at once."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_flight = 0

    def __enter__(self) -> None:
        if self.in_flight >= self.limit:
            raise TooMany("the service is busy", 1)
        self.in_flight += 1

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.in_flight -= 1
