"""Follows the file of keys while the service runs, and never opens a door it had closed."""

import logging
import os
import time
from pathlib import Path

from features.errors import ConfigRefused
from features.settings import Settings, Workspace
from serve.security.api_keys import KeyRing, read_keys

log = logging.getLogger("goodwill.keys")

#: Seconds between two looks at the file.
LOOK_SECONDS = 1.0


def key_file_path(workspace: Workspace) -> Path:
    """Where the keys are: `GOODWILL_KEYS`, else `data/keys.json` of the project."""
    return Settings().keys or workspace.data / "keys.json"


def keys_required(workspace: Workspace) -> bool:
    """Whether a key is needed: there is a file of keys, or the environment names one."""
    return Settings().keys is not None or os.path.lexists(key_file_path(workspace))


class KeyFileWatcher:
    """The keys of now. Without a file there are none to ask for; once there was one, it counts.

    A file that cannot be read leaves the last good keys; at the start it leaves none, so that
    nobody gets in. `wanted` says that a missing file is a broken one.
    """

    def __init__(self, path: Path, *, wanted: bool = False) -> None:
        self.failures = 0
        self._path = path
        self._ring = KeyRing(()) if wanted else None
        self._seen: tuple[int, ...] | None = None
        self._next_look = 0.0

    def current_keys(self) -> KeyRing | None:
        """The keys to ask for, or None while the service is open. At most one look a second."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self._look()
        return self._ring

    def _look(self) -> None:
        seen = _stamp(self._path)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._ring = KeyRing(read_keys(self._path))
            log.info("%d API keys", len(self._ring.keys))
        except ConfigRefused as refused:
            self.failures += 1
            self._ring = self._ring or KeyRing(())
            log.error("%d API keys stay: %s", len(self._ring.keys), refused)


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Changes when the file is replaced or written; None where there is not even a broken link."""
    if not os.path.lexists(path):
        return None
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size
