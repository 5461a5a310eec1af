"""A night whose evaluation cannot be told still writes its report, and says so in the end."""

from pathlib import Path

import pytest

from features.errors import ConfigRefused
from models.pipeline import retrain as chain
from models.pipeline.train_target import Outcome
from serve.cli import nightly
from serve.cli.command_context import CommandContext


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandContext:
    """A company of which nothing but the order of the night matters."""
    monkeypatch.setenv("GOODWILL_HOME", str(tmp_path))
    return CommandContext(Path(__file__).parents[3] / "data/sample.toml")


def played(
    monkeypatch: pytest.MonkeyPatch, outcomes: list[Outcome], evaluation: object
) -> list[str]:
    """Puts words in the place of the long steps; the list of those that were called."""
    done: list[str] = []

    def evaluate(*_: object) -> list[Path]:
        done.append("evaluate")
        if isinstance(evaluation, Exception):
            raise evaluation
        return []

    def report(*_: object) -> Path:
        done.append("report")
        return Path("report.html")

    monkeypatch.setattr(chain, "retrain", lambda *_: outcomes)
    monkeypatch.setattr(
        "insight.data_quality_report.data_quality_page.write_data_quality_page",
        lambda *_: done.append("usability"),
    )
    monkeypatch.setattr("insight.evaluation.run_evaluation.evaluate_company", evaluate)
    monkeypatch.setattr("insight.business_report.business_report_page.write_report", report)
    return done


KEPT = Outcome("churn", "kept", "as good", version="1")


def test_the_order_of_a_night(run: CommandContext, monkeypatch: pytest.MonkeyPatch) -> None:
    done = played(monkeypatch, [KEPT], None)
    outcomes, paths = nightly.run_nightly(run)
    assert done == ["usability", "evaluate", "report"]
    assert outcomes == [KEPT]
    assert paths[-1] == Path("report.html")


def test_an_evaluation_that_fails_costs_no_report(
    run: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = played(monkeypatch, [KEPT], ConfigRefused("insight.satisfaction.by names nowhere"))
    with pytest.raises(ConfigRefused, match="names nowhere"):
        nightly.run_nightly(run)
    assert done[-1] == "report"


def test_without_a_model_there_is_nothing_to_evaluate(
    run: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = played(monkeypatch, [Outcome("churn", "refused", "loses to its rule")], None)
    assert nightly.run_nightly(run)[1] == []
    assert done == ["usability"]


def test_wrong_settings_stop_before_the_training(
    run: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = played(monkeypatch, [KEPT], None)
    run.company = run.company.model_copy(update={"insight": {"tires": {}}})
    with pytest.raises(ConfigRefused, match=r"unknown section insight\.tires"):
        nightly.run_nightly(run)
    assert not done
