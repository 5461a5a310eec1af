"""Draining: a worker that has to stop is not ready any more, but answers calls for a while.

The load balancer needs this time to see `/readyz` fail and to send its calls elsewhere. Every worker
drains by itself when SIGTERM reaches it, so it does not matter which process got the signal:
the launcher, the supervisor (both pass SIGTERM on), or all processes at once.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator
from types import FrameType

log = logging.getLogger("goodwill.drain")

#: Skips the rest of the grace period. Not a second SIGTERM: when all processes of a service get
#: SIGTERM, a worker gets one more from its supervisor.
STOP_NOW = signal.SIGUSR1


class Drain:
    """The end of a worker: ready, then draining for `seconds`, then stopping.

    `started` turns true with SIGTERM; from then on the worker is not ready.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.started = False
        self._ended = False

    @contextlib.contextmanager
    def follow_signals(self) -> Iterator[None]:
        """Drain on SIGTERM, before the handler that is installed now stops the worker.

        Needs a running event loop in the main thread.
        """
        loop = asyncio.get_running_loop()
        stop = signal.getsignal(signal.SIGTERM)

        def drain(_signal: int, _frame: FrameType | None) -> None:
            if not self.started:  # what a signal interrupts may hold the lock of the log
                self.started = True
                loop.call_soon_threadsafe(self._begin, loop, stop)

        def stop_now(_signal: int, _frame: FrameType | None) -> None:
            self.started = True
            loop.call_soon_threadsafe(self._end, stop)

        before = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, drain),
            STOP_NOW: signal.signal(STOP_NOW, stop_now),
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _begin(self, loop: asyncio.AbstractEventLoop, stop: object) -> None:
        if self.seconds:
            log.info("draining: not ready, answering calls for %g s more", self.seconds)
        loop.call_later(self.seconds, self._end, stop)

    def _end(self, stop: object) -> None:
        if self._ended:
            return
        self._ended = True
        log.info("stopping: no new calls, calls in flight finish")
        if callable(stop):
            stop(signal.SIGTERM, None)
