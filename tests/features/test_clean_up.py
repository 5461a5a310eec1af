"""`make clean` removes results and keeps what no retrain can make again."""

from pathlib import Path

import pytest

from features.clean_up import KEPT_RESULTS, clean_up
from features.result_sets import staged_results
from features.settings import Workspace

MADE_AGAIN = ("history/events.parquet", "scores/scores.parquet", "evaluation/evaluation.json",
              "serving/churn/1/model.txt", "report.html")  # fmt: skip
NEVER_MADE_AGAIN = ("evaluation/reference_scales.json", "evaluation/groups.json", "tuned.json",
                    "evaluation/months/2025-06.parquet", "scores/history/2025-06.parquet")  # fmt: skip


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.name, encoding="utf-8")


@pytest.fixture(params=["with sets", "of a version without sets"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """The company `shop`, its records, its user's own exports, and the tracking store."""
    made = Workspace(tmp_path)
    home = made.data / "shop"
    if request.param == "with sets":
        with staged_results(made, "shop") as staged:
            for name in (*MADE_AGAIN, *NEVER_MADE_AGAIN):
                write(staged.company("shop") / name)
    else:
        for name in (*MADE_AGAIN, *NEVER_MADE_AGAIN):
            parts = name.partition("serving/")
            write(made.serving("shop") / parts[2] if parts[1] else home / name)
    for name in ("feedback/call.json", "audit.key", "accepted-losses.jsonl", "exports/orders.csv"):
        write(home / name)
    for name in ("README.md", "audit/shop.jsonl", "mlflow.db", "artifacts/1/model", "logs/a",
                 "versions/shop/churn.json", "locks/shop.lock"):  # fmt: skip
        write(made.mlruns / name)
    write(made.data / "shop.toml")
    return made


def left(workspace: Workspace) -> set[str]:
    """Every file at the path at which a user finds it."""
    home = workspace.data / "shop"
    names = (*MADE_AGAIN, *NEVER_MADE_AGAIN, "exports/orders.csv", "feedback/call.json",
             "audit.key", "accepted-losses.jsonl")  # fmt: skip
    return {name for name in names if (home / name).is_file()}


OWN = {"exports/orders.csv", "feedback/call.json", "audit.key", "accepted-losses.jsonl"}


def test_what_no_retrain_can_make_again_stays(workspace: Workspace) -> None:
    kept = clean_up(workspace)
    assert left(workspace) == OWN | set(NEVER_MADE_AGAIN)
    assert {str(path.relative_to(workspace.data / "shop")) for path in kept} == {
        *(name for name in NEVER_MADE_AGAIN if name.count("/") < 2),
        "evaluation/months", "scores/history",
    }  # fmt: skip
    assert (workspace.data / "shop.toml").is_file()
    assert {p.name for p in workspace.mlruns.iterdir()} == {
        "README.md",
        "audit",
        "versions",
        "locks",
    }


def test_with_all_only_records_and_own_files_stay(workspace: Workspace) -> None:
    assert clean_up(workspace, everything=True) == []
    assert left(workspace) == OWN
    assert {p.name for p in (workspace.data / "shop").iterdir()} == {
        "feedback", "audit.key", "accepted-losses.jsonl", "exports",
    }  # fmt: skip


def test_cleaning_twice_changes_nothing(workspace: Workspace) -> None:
    clean_up(workspace)
    before = left(workspace)
    clean_up(workspace)
    assert left(workspace) == before


def test_a_run_works_on_what_was_kept(workspace: Workspace) -> None:
    clean_up(workspace)
    with staged_results(workspace, "shop") as staged:
        folder = staged.company("shop")
        assert all(list(folder.glob(pattern)) for pattern in KEPT_RESULTS)
