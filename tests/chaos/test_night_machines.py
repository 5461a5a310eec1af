"""Nights on a machine whose tracking database or disk fails, and a service that restarts meanwhile."""

import json
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from features.errors import EnvironmentFailed
from serve.process.server import LaunchOptions, free_port, running_service
from support.night_faults import (
    foreign_database,
    full_disk,
    locked_database,
    older_schema,
    replaced,
)
from support.nights import DONE, NAME, Nights, end_of

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("truncated", "is damaged"),
        ("older", "is of an older MLflow"),
        ("foreign", "is a database of something else than MLflow"),
    ],
)
def test_a_broken_tracking_database_ends_the_night_with_the_remedy(
    nights: Nights, tmp_path: Path, fault: str, message: str
) -> None:
    database, before = nights.workspace.mlruns / "mlflow.db", nights.published()
    good = database.read_bytes()
    broken = {
        "truncated": lambda: good[: len(good) // 2],
        "older": lambda: older_schema(database),
        "foreign": lambda: foreign_database(tmp_path),
    }[fault]()
    with replaced(database, broken):
        night = nights.run()
        assert database.read_bytes() == broken, "nothing is written into it"
    assert not night.problem(EnvironmentFailed.exit_code)
    assert message in night.printed
    assert nights.published() == before


def test_a_locked_tracking_database_ends_the_night(nights: Nights) -> None:
    before = nights.published()
    with locked_database(nights.workspace.mlruns / "mlflow.db"):
        night = nights.run()
    assert not night.problem(EnvironmentFailed.exit_code)
    assert "is locked by another process" in night.printed
    assert nights.published() == before


def test_a_full_disk_ends_the_night_and_changes_nothing(nights: Nights, tmp_path: Path) -> None:
    with full_disk(nights, tmp_path / "disk", free=300_000) as (copy, limits):
        before = copy.published()
        night = copy.run(before=limits)
        assert not night.problem(EnvironmentFailed.exit_code)
        assert copy.published() == before
        assert copy.problems() == []
        assert copy.leftovers() == [], "its own files do not fill the disk further"


def test_a_service_that_restarts_while_a_set_is_published_answers_from_one_set(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOODWILL_HOME", str(nights.workspace.home))
    launch = LaunchOptions(
        nights.toml, nights.workspace, free_port(), workers=1, drain_seconds=0,
        output=nights.workspace.home / "service.log",
    )  # fmt: skip
    known = {json.dumps(served(launch))}
    scoring = nights.start("score", "--reasons")
    nights.wait_until_staged(scoring)
    while scoring.poll() is None:
        known.add(json.dumps(served(launch)))
    assert not end_of(scoring).problem(*DONE)
    known.add(json.dumps(served(launch)))
    assert len(known) == 1, "the same models and data before, during and after the publication"
    assert nights.problems() == []


def served(launch: LaunchOptions) -> dict[str, object]:
    """Start the service, ask for one customer, stop it: versions and values."""
    customer = pq.read_table(launch.workspace.scores(NAME), columns=["customer_id"])[0][0].as_py()
    with running_service(launch, seconds=240) as server:
        answer = httpx.get(f"{server.url}/v1/customers/{customer}", trust_env=False, timeout=60)
        assert answer.status_code == 200, answer.text
        body: dict[str, object] = answer.json()
    moving = ("request_id", "age_seconds", "feature_age_seconds")
    return {name: body[name] for name in sorted(body) if name not in moving}
