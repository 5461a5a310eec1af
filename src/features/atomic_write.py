"""Atomic replacement of files and folders: a reader sees the old content or the new, never a part."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; what the block writes there replaces `path` at its end.

    When the block raises, `path` stays as it was and the temporary file or folder is removed. The
    parent folder must exist.
    """
    temporary = path.with_name(f".{path.name}.new")
    remove_path(temporary)  # left by a process that was killed
    try:
        yield temporary
        replace_atomically(temporary, path)
    except BaseException as err:
        remove_path(temporary)
        if isinstance(err, OSError) and err.errno and err.filename is None:
            err.filename = str(path)  # a full disk does not say which file it refused
        raise


def write_text_atomically(path: Path, text: str, mode: int = 0o666) -> None:
    """Replace a text file (UTF-8), synced to disk first; `mode` is subject to the umask."""
    with atomic_path(path) as temporary:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def create_text_once(path: Path, text: str, mode: int) -> bool:
    """Create a text file (UTF-8), synced to disk; False where it exists, also with several processes.

    `mode` holds whatever the umask. The parent folder must exist.
    """
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".new", encoding="utf-8") as new:
        new.write(text)
        new.flush()
        os.fsync(new.fileno())
        os.fchmod(new.fileno(), mode)
        try:
            os.link(new.name, path)  # unlike a rename, fails where another process was first
        except FileExistsError:
            return False
    return True


def append_line(path: Path, line: str) -> None:
    """Append one line (UTF-8) to a file as a whole, synced to disk; a full disk leaves no part of it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        end, content = os.fstat(handle).st_size, f"{line}\n".encode()
        if os.write(handle, content) < len(content):
            os.ftruncate(handle, end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_atomically(made: Path, path: Path) -> None:
    """Move a finished file or folder to `path`, replacing the existing one.

    Replacing a file by a file is atomic. With folders there is an instant in which neither exists.
    """
    if made.is_file() and not path.is_dir():
        made.replace(path)
        return
    former = path.with_name(f".{path.name}.former")
    remove_path(former)
    if path.exists():
        path.rename(former)
    made.rename(path)
    remove_path(former)


def remove_path(path: Path) -> None:
    """Remove a file, a link or a folder if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
