"""A tracking database that MLflow cannot work with ends in a sentence with the remedy."""

import errno
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from alembic.script import ScriptDirectory
from mlflow.exceptions import MlflowException

from features.errors import EnvironmentFailed
from features.settings import Workspace
from models.bundles import store_failures
from models.bundles.mlflow_registry import Registry
from models.bundles.store_failures import check_database, explained, read_migrations
from support.trained_company import trained


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A project with a copy of a real tracking database."""
    workspace = Workspace(tmp_path)
    workspace.mlruns.mkdir()
    shutil.copy(trained()[0].mlruns / "mlflow.db", workspace.mlruns)
    return workspace


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_failures, "LOCK_SECONDS", 0.1)


def set_schema(database: Path, revision: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("update alembic_version set version_num = ?", (revision,))


def refusal(workspace: Workspace) -> str:
    """What is said when the store is opened; nothing may be changed in the file."""
    database = workspace.mlruns / "mlflow.db"
    before = database.read_bytes()
    with pytest.raises(EnvironmentFailed) as refused:
        Registry(workspace)
    assert str(refused.value).startswith(f"the tracking database {database} ")
    assert refused.value.exit_code == 9
    assert database.read_bytes() == before
    return str(refused.value)


def test_a_sound_database_is_accepted(workspace: Workspace) -> None:
    for name in ("mlflow.db", "missing.db"):
        check_database(workspace.mlruns / name)


def test_the_migrations_are_those_that_alembic_finds() -> None:
    folder = Path(mlflow.__file__).parent / "store" / "db_migrations"
    migrations = ScriptDirectory(str(folder))
    known, newest = read_migrations(folder / "versions")
    assert known == {step.revision for step in migrations.walk_revisions()}
    assert newest == set(migrations.get_heads())


@pytest.mark.parametrize(
    ("kept", "message"),
    [(0.5, "is damaged; move it away, and the next run begins a new one"), (0.9, "is damaged; ")],
)
def test_a_truncated_database(workspace: Workspace, kept: float, message: str) -> None:
    database = workspace.mlruns / "mlflow.db"
    content = database.read_bytes()
    database.write_bytes(content[: int(len(content) * kept)])
    assert message in refusal(workspace)


def test_a_database_with_garbage_inside(workspace: Workspace) -> None:
    database = workspace.mlruns / "mlflow.db"
    content = bytearray(database.read_bytes())
    content[8192:65536] = b"\xff" * (65536 - 8192)
    database.write_bytes(content)
    assert "is damaged; " in refusal(workspace)


def test_a_file_that_is_no_database(workspace: Workspace) -> None:
    (workspace.mlruns / "mlflow.db").write_text("not a database at all\n" * 100)
    assert "is not a SQLite database; move it away" in refusal(workspace)


def test_a_database_of_another_program_is_not_filled_with_tables(workspace: Workspace) -> None:
    database = workspace.mlruns / "mlflow.db"
    database.unlink()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("create table orders (id integer primary key autoincrement)")
        connection.execute(
            "create table alembic_version (version_num text)"
        )  # many programs have it
        connection.execute("insert into alembic_version values ('1975ea83b712')")
    assert "is a database of something else than MLflow; move it away" in refusal(workspace)


def test_a_locked_database(workspace: Workspace) -> None:
    database = workspace.mlruns / "mlflow.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("begin exclusive")
        assert "is locked by another process; end that process" in refusal(workspace)
    check_database(database)


def test_a_database_of_an_older_mlflow_is_not_upgraded_unasked(workspace: Workspace) -> None:
    database = workspace.mlruns / "mlflow.db"
    set_schema(database, "451aebb31d03")  # of MLflow 1.0
    said = refusal(workspace)
    assert "is of an older MLflow (schema 451aebb31d03) than the installed" in said
    assert said.endswith(f"copy it, then run `mlflow db upgrade sqlite:///{database}`")


def test_a_database_of_a_newer_mlflow(workspace: Workspace) -> None:
    set_schema(workspace.mlruns / "mlflow.db", "ffffffffffff")
    said = refusal(workspace)
    assert "is of a newer MLflow (schema ffffffffffff) than the installed" in said
    assert "install that version, or move it away" in said


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MlflowException("(sqlite3.OperationalError) database is locked"), "is locked by another"),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full; free space"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "cannot be written; "),
        (sqlite3.OperationalError("disk I/O error"), r"disk I/O error\); check"),
        (OSError(errno.ENOSPC, "No space left", "/x/model.lgb"), "/x/model.lgb could not be"),
    ],
)
def test_failures_while_it_is_in_use(error: Exception, message: str) -> None:
    with pytest.raises(EnvironmentFailed, match=message), explained(Path("/mlruns/mlflow.db")):
        raise error


def test_other_errors_pass() -> None:
    missing = MlflowException("Registered Model with name=a not found")
    with pytest.raises(MlflowException, match="not found"), explained(Path("/mlruns/mlflow.db")):
        raise missing
