"""What can be wrong with the tracking database `mlruns/mlflow.db`, as a sentence with the remedy.

MLflow would try ten times, create its tables in a foreign database, upgrade an older one without a
copy, and end in a traceback. So the file is examined before MLflow opens it.
"""

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import metadata
from pathlib import Path

from features.disk_failures import disk_failure
from features.errors import EnvironmentFailed

#: As long as MLflow itself waits for a lock.
LOCK_SECONDS = 20.0
NEW_ONE = (
    "move it away, and the next run begins a new one (bundles keep serving and version numbers go on; "
    "the history of experiments is lost), or restore it from the backup"
)
#: The lines of a migration that name its schema, and the one that it follows.
REVISION = re.compile(r"""^revision\s*=\s*["'](\w+)["']""", re.MULTILINE)
FORMER_REVISION = re.compile(r"""^down_revision\s*=\s*["'](\w+)["']""", re.MULTILINE)
TABLES = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
#: Parts of SQLite's messages, what they mean, and the remedy.
MEANINGS = (
    ("is locked", "is locked by another process", "end that process (`fuser` on the file names it), "
     "then run the command again"),
    ("not a database", "is not a SQLite database", NEW_ONE),
    ("malformed", "is damaged", NEW_ONE),
    ("disk is full", "cannot grow: the disk is full", "free space, then run the command again"),
    ("readonly database", "cannot be written", "make the file and its folder writable, then run the "
     "command again"),
    ("disk I/O error", "cannot be read or written (disk I/O error)", "check that the disk is neither "
     "full nor failing, then run the command again"),
    ("unable to open database", "cannot be opened", "check that it is a file, and "
     "that it and its folder are writable"),
    ("no such table", "lacks tables of MLflow", NEW_ONE),
)  # fmt: skip


def check_database(database: Path) -> None:
    """Examine the tracking database; raises EnvironmentFailed when MLflow could not work with it.

    A missing or empty file is fine: MLflow creates its tables there. Does not import MLflow, so that a
    night can say at its beginning that it will not get through.
    """
    if not database.exists() or (database.is_file() and not database.stat().st_size):
        return
    with (
        explained(database),
        closing(
            sqlite3.connect(database, timeout=LOCK_SECONDS, isolation_level=None)
        ) as connection,
    ):
        connection.execute("begin immediate")  # a reader alone would not notice a lock
        connection.execute("rollback")
        tables = {name for (name,) in connection.execute(TABLES)}
        (found,) = connection.execute("pragma quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(f"malformed: {found}")
        revisions = (
            connection.execute("select version_num from alembic_version").fetchall()
            if "alembic_version" in tables
            else []
        )
    if tables - {"alembic_version"} and "experiments" not in tables:
        raise _failed(database, "is a database of something else than MLflow", NEW_ONE)
    for (revision,) in revisions:
        _check_schema(database, revision)


def _check_schema(database: Path, revision: str) -> None:
    """Compare the schema of a database with that of the installed MLflow."""
    installed = metadata.distribution("mlflow")
    folder = Path(str(installed.locate_file("mlflow/store/db_migrations/versions")))
    known, newest = read_migrations(folder)
    if revision not in known:
        raise _failed(
            database,
            f"is of a newer MLflow (schema {revision}) than the installed {installed.version}",
            f"install that version, or {NEW_ONE}",
        )
    if revision not in newest:
        raise _failed(
            database,
            f"is of an older MLflow (schema {revision}) than the installed {installed.version}",
            f"copy it, then run `mlflow db upgrade sqlite:///{database}`",
        )


def read_migrations(folder: Path) -> tuple[set[str], set[str]]:
    """The schema revisions of a folder of Alembic migrations: all of them, and those with no later one.

    They are read as texts: to import the migrations, as Alembic does, takes as long as MLflow itself.
    """
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))]
    known = {name for text in texts for name in REVISION.findall(text)}
    return known, known - {name for text in texts for name in FORMER_REVISION.findall(text)}


@contextmanager
def explained(database: Path) -> Iterator[None]:
    """Turn a failure of the tracking database or its disk into EnvironmentFailed; others pass."""
    try:
        yield
    except EnvironmentFailed:
        raise
    except Exception as err:
        for part, what, remedy in MEANINGS:
            if part in str(err):
                raise _failed(database, what, remedy) from err
        if reason := disk_failure(err):
            raise EnvironmentFailed(reason) from err
        raise


def silence_mlflow_log() -> None:
    """Keep MLflow from printing the traceback of a failing database; the sentence says the same."""
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def _failed(database: Path, what: str, remedy: str) -> EnvironmentFailed:
    return EnvironmentFailed(f"the tracking database {database} {what}; {remedy}")
