"""Faults that nights meet: sources away, a full disk, a broken tracking database, odd clocks."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from features.result_sets import SETS
from support.nights import Nights

#: The environment of a process whose clock was changed: only the time of day jumps, as in reality.
FAKETIME = {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}
#: Bytes beyond which a file is refused where no small disk can be mounted.
LARGEST_FILE = 150_000


@contextmanager
def replaced(path: Path, content: bytes | None) -> Iterator[None]:
    """Let a file have other content, or be away (None)."""
    former = path.read_bytes()
    try:
        path.unlink() if content is None else path.write_bytes(content)
        yield
    finally:
        path.write_bytes(former)


@contextmanager
def moved_away(path: Path) -> Iterator[None]:
    """Let a file or folder be away."""
    aside = path.with_name(f"{path.name}-away")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


@contextmanager
def locked_database(path: Path) -> Iterator[None]:
    """Let another process hold an exclusive lock on a SQLite database."""
    script = (
        "import sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('begin exclusive')\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        yield
    finally:
        holder.communicate("")


def older_schema(path: Path) -> bytes:
    """The tracking database as an older MLflow would have left it."""
    copy = path.with_name("older.db")
    shutil.copy(path, copy)
    with closing(sqlite3.connect(copy)) as database:
        database.execute("update alembic_version set version_num = '451aebb31d03'")
        database.commit()
    content = copy.read_bytes()
    copy.unlink()
    return content


def foreign_database(folder: Path) -> bytes:
    """A SQLite database of another program."""
    path = folder / "foreign.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table bookmarks (title text)")
        database.commit()
    content = path.read_bytes()
    path.unlink()
    return content


def clock(moved: str) -> tuple[str, ...]:
    """The command before a process whose clock is moved, such as by "-365d"."""
    return ("faketime", "-f", moved)


@contextmanager
def full_disk(
    nights: Nights, folder: Path, free: int
) -> Iterator[tuple[Nights, Callable[[], None] | None]]:
    """A copy of the company on a disk with so many free bytes, and what limits a process instead.

    Where no disk can be mounted, files are limited to `LARGEST_FILE` bytes, which fails the same calls.
    """
    folder.mkdir(parents=True, exist_ok=True)
    size = (
        sum(p.lstat().st_size + 4096 for p in nights.workspace.home.rglob("*")) + free + (1 << 20)
    )
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True, check=False,
    ).returncode == 0  # fmt: skip
    try:
        shutil.copytree(nights.workspace.home, folder / "home", symlinks=True)
        copy = Nights(folder / "home")
        for left in copy.leftovers():  # their removal would make room
            shutil.rmtree(copy.folder / SETS / left)
        if mounted:
            filler = folder / "filler"
            with filler.open("wb") as file:
                left = os.statvfs(folder)
                file.write(bytes(max(left.f_bavail * left.f_frsize - free, 0)))
            yield copy, None
            filler.unlink()
        else:
            yield copy, _limit_files
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
