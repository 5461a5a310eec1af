"""New champions and a rollback under load."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from models.bundles.champions import set_champion
from support.second_version import promote_milder_churn
from support.served_company import (
    OTHER_CALIBRATORS,
    Served,
    eventually,
    figure,
    second_version,
    served,
)
from support.steady_load import CONNECTIONS, Load, Reply, post, steady_load

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

SWAPS, RATE = 5, 30.0
ASKED = 20
#: (target, version, customer) -> predictions and reasons.
Known = dict[tuple[str, str, str], tuple[Any, Any]]


def ask(served_now: Served, number: int) -> bytes:
    """Score ten customers without reasons; in every tenth call two with reasons."""
    many = number % 10 > 0
    first = number % 7 if many else number % (ASKED - 1)
    ids = served_now.ids[first : first + (10 if many else 2)]
    return post("/v1/scores", {"customer_ids": ids, "reasons": 0 if many else 2})


def expected_scores(served_now: Served) -> Known:
    """The scores of the present versions for all requested customers."""
    answer = served_now.score(*served_now.ids[:ASKED], reasons=2)
    return {
        (target, version, score["customer_id"]): (
            score["predictions"][target],
            score["reasons"][target],
        )
        for target, version in answer["model_versions"].items()
        for score in answer["scores"]
    }


def matches_its_versions(reply: Reply, known: Known) -> bool:
    """Whether all numbers of an answer come from the versions it names."""
    answer = json.loads(reply.body)
    for score in answer["scores"]:
        assert set(score["predictions"]) == set(answer["model_versions"])
        for target, version in answer["model_versions"].items():
            prediction, reasons = known[target, version, score["customer_id"]]
            found_reasons = score["reasons"].get(target, reasons)
            if score["predictions"][target] != prediction or found_reasons != reasons:
                return False
    return bool(answer["scores"])


def all_workers_serve(served_now: Served, wanted: dict[str, str]) -> bool:
    return all(v[t] == n for v in served_now.versions() for t, n in wanted.items())


def latest_answers_have(replies: list[Reply], version: str) -> bool:
    """Whether the last answers, two on each connection, have this version of churn."""
    latest = replies[-2 * CONNECTIONS :]
    named = {json.loads(reply.body)["model_versions"]["churn"] for reply in latest}
    return len(latest) == 2 * CONNECTIONS and named == {version}


def assert_no_call_failed(load: Load) -> None:
    assert load.lost() == []
    assert set(load.statuses()) == {200}


def test_five_swaps_under_load_fail_no_call_and_mix_no_versions(tmp_path: Path) -> None:
    def two_versions(workspace: Any) -> None:
        for target in OTHER_CALIBRATORS:
            second_version(workspace, target)

    with served(tmp_path / "home", two_versions) as now:
        known = expected_scores(now)
        for target in OTHER_CALIBRATORS:
            set_champion(now.models, target, "2")
        eventually(lambda: all_workers_serve(now, dict.fromkeys(OTHER_CALIBRATORS, "2")))
        known |= expected_scores(now)
        for target in OTHER_CALIBRATORS:  # the two answer differently
            assert known[target, "1", now.ids[0]] != known[target, "2", now.ids[0]]
        workers = now.workers()
        with steady_load(now.server.url, RATE, lambda number: ask(now, number)) as load:
            for swap in range(SWAPS):
                time.sleep(1.5)
                for target in OTHER_CALIBRATORS:  # one after the other: mixed pairs are served, too
                    set_champion(now.models, target, "12"[swap % 2])
                    time.sleep(0.5)
            time.sleep(2.0)
        assert now.workers() == workers
    assert_no_call_failed(load)
    assert [r for r in load.replies if not matches_its_versions(r, known)] == []
    seen = {tuple(json.loads(r.body)["model_versions"].items()) for r in load.replies}
    assert len(seen) >= 2
    figure("swaps: calls", len(load.replies))
    figure("swaps: pairs of versions seen", len(seen))
    figure("swaps: p99 in ms", round(1000 * load.percentile(0.99)))


def test_rollback_under_load(tmp_path: Path) -> None:
    with served(tmp_path / "home", lambda w: _promoted(w)) as now:
        assert all_workers_serve(now, {"churn": "2"})
        with steady_load(now.server.url, RATE, lambda number: ask(now, number)) as load:
            time.sleep(2.0)
            command = [sys.executable, "-m", "serve.cli", "rollback", "churn", "--company"]
            began = time.monotonic()
            with subprocess.Popen(
                [*command, str(now.workspace.data / "sample.toml")],
                cwd=now.workspace.home,
                env=_environment(now),
            ) as ran:
                before = len(load.replies)
                eventually(lambda: latest_answers_have(load.replies[before:], "1"), 60)
                seconds = time.monotonic() - began
            ended = time.monotonic() - began
        assert ran.returncode == 0
    assert_no_call_failed(load)
    figure("rollback: seconds from the command until every worker serves", round(seconds, 1))
    figure("rollback: seconds until the command is done", round(ended, 1))
    assert seconds < 10


def _promoted(workspace: Any) -> None:
    assert promote_milder_churn(workspace) == "2"


def _environment(now: Served) -> dict[str, str]:
    sources = str(Path(__file__).parents[2] / "src")
    return {**os.environ, "GOODWILL_HOME": str(now.workspace.home), "PYTHONPATH": sources}
