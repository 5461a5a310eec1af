"""Reloads the file of API keys while the service runs; a broken file never opens the service."""

import logging
import os
import time
from pathlib import Path

from features.errors import ConfigRefused
from features.settings import Settings, Workspace
from serve.file_watcher import FileWatcher
from serve.security.api_keys import KeyRing, read_keys

log = logging.getLogger("goodwill.keys")

#: Seconds between two checks of the file.
CHECK_SECONDS = 1.0


def key_file_path(workspace: Workspace) -> Path:
    """Return the path of the key file: `GOODWILL_KEYS`, else `data/keys.json` of the project."""
    return Settings().keys or workspace.data / "keys.json"


def keys_required(workspace: Workspace) -> bool:
    """Return whether calls need a key: a key file exists, or the environment names one."""
    return Settings().keys is not None or os.path.lexists(key_file_path(workspace))


class KeyFileWatcher:
    """The current keys. Without a file, no key is needed; once a file existed, one stays needed.

    While a file cannot be read, the last good keys stay valid; at the start there are none, so that
    every call is refused. `required` treats a missing file like a broken one.
    """

    def __init__(self, path: Path, *, required: bool = False) -> None:
        self.failures = 0
        self._path = path
        self._watcher = FileWatcher([path])
        self._keys = KeyRing(()) if required else None
        self._next_check = 0.0

    def current_keys(self) -> KeyRing | None:
        """Return the valid keys, or None while no key is needed. Checks the file once a second."""
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + CHECK_SECONDS
            self._check()
        return self._keys

    def _check(self) -> None:
        if not self._watcher.changed():
            return
        try:
            self._keys = KeyRing(read_keys(self._path))
            log.info("%d API keys", len(self._keys.keys))
        except ConfigRefused as refused:
            self.failures += 1
            self._keys = self._keys or KeyRing(())
            log.error("%d API keys stay: %s", len(self._keys.keys), refused)
