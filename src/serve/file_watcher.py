"""Detects that files were created, replaced, written or removed."""

import os
from collections.abc import Iterable
from pathlib import Path

#: Inode, time of modification and size; empty for a file that cannot be examined.
FileStamp = tuple[int, ...]


class FileWatcher:
    """Compares files with how they were before."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = tuple(paths)
        self._last: tuple[FileStamp | None, ...] | None = None

    def stamps(self) -> tuple[FileStamp | None, ...]:
        """Return a value per file that differs after a change; None for a file that does not exist."""
        return tuple(map(_stamp, self._paths))

    def changed(self) -> bool:
        """Return whether a file changed since the last call; files that exist count as new at first."""
        stamps = self.stamps()
        before, self._last = self._last, stamps
        return stamps != (before or (None,) * len(stamps))


def _stamp(path: Path) -> FileStamp | None:
    if not os.path.lexists(path):
        return None
    try:
        found = os.stat(path)
    except OSError:  # a broken link, or a folder that may not be read
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size
