"""How much at once: calls a second of one client, and calls in flight in one worker."""

import math
import time
from collections.abc import Callable
from types import TracebackType

from serve.errors import TooMany


class RateLimiter:
    """A bucket a client, filled at a rate; a second's worth of calls may come together.

    `share` is the part of a rate that is this worker's: workers do not talk to each other.
    """

    def __init__(self, share: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, client: str, rate: float) -> None:
        """Count one call of a client. Raises TooMany, with how long to wait, beyond its rate."""
        fill = rate * self._share
        most = max(1.0, fill)
        now = self._clock()
        left, before = self._buckets.get(client, (most, now))
        left = min(most, left + (now - before) * fill)
        if left < 1.0:
            self._buckets[client] = left, now
            wait = math.ceil((1.0 - left) / fill)
            raise TooMany(f"this client may ask {rate:g} times a second", wait)
        self._buckets[client] = left - 1.0, now


class ConcurrencyLimit:
    """So many calls may be in flight; one more is turned away at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def __enter__(self) -> None:
        if self.taken >= self.most:
            raise TooMany("the service is busy", 1)
        self.taken += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.taken -= 1
