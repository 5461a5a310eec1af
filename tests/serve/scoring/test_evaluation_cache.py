"""Changed files of the evaluation are read again; a broken file keeps the last content."""

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


def reader(folder: Path) -> EvaluationCache:
    """A cache that has read a folder."""
    cache = EvaluationCache("testing")
    cache.refresh(folder)
    return cache


def test_before_the_first_evaluation_the_error_names_the_command(tmp_path: Path) -> None:
    cache = reader(tmp_path / "evaluation")
    assert cache.refresh(tmp_path / "evaluation") == {}
    with pytest.raises(NotReady) as refused:
        cache.current.require()
    assert [problem.where for problem in refused.value.problems] == ["evaluation", "standing"]
    assert all("goodwill evaluate" in problem.problem for problem in refused.value.problems)
    assert cache.current.status("C-7").tier is None


def test_a_new_evaluation_is_read_once(tmp_path: Path) -> None:
    cache = reader(tmp_path)
    write(tmp_path)
    assert cache.refresh(tmp_path) == BOTH
    first = cache.current
    assert first.require() == evaluation()
    assert first.status("C-7").tier == "B"
    assert first.missing == {}
    assert cache.refresh(tmp_path) == {}
    assert cache.current.evaluation is first.evaluation
    assert cache.current.statuses is first.statuses
    write(tmp_path, as_of=LATER)
    assert cache.refresh(tmp_path) == BOTH
    assert cache.current.require().as_of == LATER


@pytest.mark.parametrize("name", [EVALUATION_FILE, STATUS_FILE])
def test_a_broken_new_file_keeps_the_last_content(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    write(tmp_path)
    cache = reader(tmp_path)
    before, path = cache.current, tmp_path / name
    path.write_bytes(path.read_bytes()[:-9])
    with caplog.at_level(logging.WARNING, "goodwill.evaluated"):
        assert cache.refresh(tmp_path) == {PART[name]: "kept"}
    assert f"{name} cannot be read" in caplog.text
    assert cache.current == before
    write(tmp_path, as_of=LATER)
    assert cache.refresh(tmp_path) == BOTH


def test_a_missing_file_leaves_nothing_of_the_night_before(tmp_path: Path) -> None:
    write(tmp_path)
    cache = reader(tmp_path)
    later = tmp_path / "later"
    write(later)
    (later / STATUS_FILE).unlink()
    assert cache.refresh(later) == {"evaluation": "loaded", "standing": "failed"}
    assert cache.current.statuses is None
    assert "goodwill evaluate" in cache.current.missing["standing"]


@pytest.mark.parametrize("name", [EVALUATION_FILE, STATUS_FILE])
def test_a_broken_file_at_the_start_has_a_reason_until_it_is_replaced(
    tmp_path: Path, name: str
) -> None:
    write(tmp_path)
    (tmp_path / name).write_bytes(b"{")
    cache = reader(tmp_path)
    assert cache.current.missing.keys() == {PART[name]}
    assert f"{name} cannot be read" in cache.current.missing[PART[name]]
    (tmp_path / name).write_bytes(b"{}")
    assert cache.refresh(tmp_path) == {PART[name]: "failed"}
    write(tmp_path)
    assert cache.refresh(tmp_path)[PART[name]] == "loaded"
    assert cache.current.missing == {}


def test_new_scores_update_the_status_before_the_next_evaluation(tmp_path: Path) -> None:
    write(tmp_path)
    cache = reader(tmp_path)
    pq.write_table(standing(LATER), tmp_path / STATUS_FILE)
    assert cache.refresh(tmp_path) == {"standing": "loaded"}
    assert cache.current.statuses is not None
    assert cache.current.statuses.as_of == LATER
    assert cache.current.require().as_of == AS_OF


def test_the_evaluation_of_another_company_is_refused(tmp_path: Path) -> None:
    write_evaluation(tmp_path, evaluation("acme"))
    cache = reader(tmp_path)
    assert "belongs to acme, but testing is served" in cache.current.missing["evaluation"]


def test_warning_if_evaluation_and_features_are_of_different_days() -> None:
    assert date_mismatch_warnings("it is", AS_OF, datetime(2025, 6, 30, 23, tzinfo=UTC)) == []
    (warning,) = date_mismatch_warnings("it is", AS_OF, LATER)
    assert warning.startswith("it is as of 2025-06-30, the features are as of 2025-07-31; run")
