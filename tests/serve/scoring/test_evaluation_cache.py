"""The last evaluation is followed by its files, and each is kept while a new one is broken."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from insight.evaluation.evaluation_files import EVALUATION_FILE, STATUS_FILE, write_evaluation
from serve.errors import NotReady
from serve.scoring.evaluation_cache import EvaluationCache, date_mismatch_warnings
from support.evaluation_builders import AS_OF, evaluation, standing, write

LATER = datetime(2025, 7, 31, tzinfo=UTC)
BOTH = {"evaluation": "loaded", "standing": "loaded"}
PART = {EVALUATION_FILE: "evaluation", STATUS_FILE: "standing"}


def test_before_the_first_one_it_says_what_makes_one(tmp_path: Path) -> None:
    watch = EvaluationCache(tmp_path / "evaluation", "testing")
    assert watch.look() == {}
    with pytest.raises(NotReady) as refused:
        watch.now.need()
    assert [problem.where for problem in refused.value.problems] == ["evaluation", "standing"]
    assert all("goodwill evaluate" in problem.problem for problem in refused.value.problems)
    assert watch.now.standing("C-7").tier is None


def test_a_new_one_is_taken_up_and_read_once(tmp_path: Path) -> None:
    watch = EvaluationCache(tmp_path, "testing")
    write(tmp_path)
    assert watch.look() == BOTH
    first = watch.now
    assert first.need() == evaluation()
    assert first.standing("C-7").tier == "B"
    assert first.missing == {}
    assert watch.look() == {}
    assert watch.now.told is first.told
    assert watch.now.standings is first.standings
    write(tmp_path, as_of=LATER)
    assert watch.look() == BOTH
    assert watch.now.need().as_of == LATER


@pytest.mark.parametrize("name", [EVALUATION_FILE, STATUS_FILE])
@pytest.mark.parametrize("fault", ["cut off", "gone"])
def test_a_broken_new_file_keeps_the_old_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, fault: str
) -> None:
    write(tmp_path)
    watch = EvaluationCache(tmp_path, "testing")
    before, path = watch.now, tmp_path / name
    if fault == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9])
    with caplog.at_level(logging.WARNING, "goodwill.evaluated"):
        assert watch.look() == {PART[name]: "kept"}
    assert (f"{name} cannot be read" in caplog.text) == (fault == "cut off")
    assert watch.now == before
    write(tmp_path, as_of=LATER)
    assert watch.look() == BOTH


@pytest.mark.parametrize("name", [EVALUATION_FILE, STATUS_FILE])
def test_a_broken_file_at_the_start_says_why_until_it_is_mended(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    (tmp_path / name).write_bytes(b"{")
    watch = EvaluationCache(tmp_path, "testing")
    assert watch.now.missing.keys() == {PART[name]}
    assert f"{name} cannot be read" in watch.now.missing[PART[name]]
    (tmp_path / name).write_bytes(b"{}")
    assert watch.look() == {PART[name]: "failed"}
    write(tmp_path)
    assert watch.look()[PART[name]] == "loaded"
    assert watch.now.missing == {}


def test_new_scores_move_customers_before_all_is_evaluated_again(tmp_path: Path) -> None:
    write(tmp_path)
    watch = EvaluationCache(tmp_path, "testing")
    pq.write_table(standing(LATER), tmp_path / STATUS_FILE)
    assert watch.look() == {"standing": "loaded"}
    assert watch.now.standings is not None
    assert watch.now.standings.as_of == LATER
    assert watch.now.need().as_of == AS_OF


def test_another_companys_is_refused(tmp_path: Path) -> None:
    write_evaluation(tmp_path, evaluation("acme"))
    watch = EvaluationCache(tmp_path, "testing")
    assert "is of acme, and testing is served" in watch.now.missing["evaluation"]


def test_another_day_than_the_features_is_said() -> None:
    assert date_mismatch_warnings("it is", AS_OF, datetime(2025, 6, 30, 23, tzinfo=UTC)) == []
    (warning,) = date_mismatch_warnings("it is", AS_OF, LATER)
    assert warning.startswith("it is as of 2025-06-30, the features are as of 2025-07-31; run")
