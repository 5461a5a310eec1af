"""An evaluation is read back as written; a damaged file is refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.errors import DataRefused
from insight.evaluation.evaluation_files import EVALUATION_FILE, read_evaluation, write_evaluation
from insight.evaluation.evaluation_schema import (
    CompanyEvaluation,
    ItemRaterAgreement,
    ValueScoreSummary,
)
from insight.evaluation.indicator_schema import IntervalEstimate

DAY = datetime(2026, 7, 1, tzinfo=UTC)
EVALUATION = CompanyEvaluation(
    company="tiny", made_at=DAY, as_of=DAY, fingerprint="abc", versions={}, currency="EUR",
    period="quarter", skipped={"drivers": "nobody was asked"},
)  # fmt: skip


def test_an_evaluation_is_read_back_as_written(tmp_path: Path) -> None:
    assert read_evaluation(tmp_path) is None
    write_evaluation(tmp_path / "evaluation", EVALUATION)
    assert read_evaluation(tmp_path / "evaluation") == EVALUATION
    assert [p.name for p in (tmp_path / "evaluation").iterdir()] == [EVALUATION_FILE]


def test_rater_agreement_is_absent_without_expert_ratings(tmp_path: Path) -> None:
    value = ValueScoreSummary(
        method="given", version="1", drawn=DAY, weights=[], top_changed=None, left_out={}, scored=1,
        unscored=0,
    )  # fmt: skip
    path = write_evaluation(tmp_path, EVALUATION.model_copy(update={"value": value}))
    assert "rater_agreement" not in path.read_text(encoding="utf-8")
    agreement = ItemRaterAgreement(
        item="customer_credit", raters=2, customers=9, icc=None, alpha=IntervalEstimate(value=0.5)
    )
    rated = value.model_copy(update={"rater_agreement": [agreement]})
    write_evaluation(tmp_path, EVALUATION.model_copy(update={"value": rated}))
    found = read_evaluation(tmp_path)
    assert found is not None
    assert found.value is not None
    assert found.value.rater_agreement == [agreement]


@pytest.mark.parametrize("text", ["", "{", '{"format": 2}', "\x00\xff"])
def test_a_damaged_file_is_refused_with_the_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / EVALUATION_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(DataRefused, match=r"evaluation\.json cannot be read .*goodwill evaluate"):
        read_evaluation(tmp_path)
