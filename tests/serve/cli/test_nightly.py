"""A nightly run whose evaluation fails still writes the report, and fails at the end."""

from pathlib import Path

import pytest

from features.errors import ConfigRefused
from models.pipeline import retrain as chain
from models.pipeline.train_target import Outcome
from serve.cli import nightly
from serve.cli.command_context import CommandContext


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandContext:
    """A company for which only the order of the steps matters."""
    monkeypatch.setenv("GOODWILL_HOME", str(tmp_path))
    return CommandContext(Path(__file__).parents[3] / "data/sample.toml")


def record_steps(
    monkeypatch: pytest.MonkeyPatch, outcomes: list[Outcome], evaluation: object
) -> list[str]:
    """Replace the long steps by recorders; return the list of recorded calls."""
    done: list[str] = []

    def evaluate(*_: object) -> list[Path]:
        done.append("evaluate")
        if isinstance(evaluation, Exception):
            raise evaluation
        return []

    def report(*_: object) -> Path:
        done.append("report")
        return Path("report.html")

    monkeypatch.setattr(chain, "retrain", lambda *_, **__: outcomes)
    monkeypatch.setattr(
        "insight.data_quality_report.data_quality_page.write_data_quality_page",
        lambda *_: done.append("usability"),
    )
    monkeypatch.setattr("insight.evaluation.run_evaluation.evaluate_company", evaluate)
    monkeypatch.setattr("insight.business_report.business_report_page.write_report", report)
    return done


KEPT = Outcome("churn", "kept", "as good", version="1")


def test_the_order_of_a_nightly_run(
    context: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = record_steps(monkeypatch, [KEPT], None)
    outcomes, paths = nightly.run_nightly(context)
    assert done == ["usability", "evaluate", "report"]
    assert outcomes == [KEPT]
    assert paths[-1] == Path("report.html")


def test_the_report_is_written_when_the_evaluation_fails(
    context: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = record_steps(monkeypatch, [KEPT], ConfigRefused("insight.satisfaction.by names nowhere"))
    with pytest.raises(ConfigRefused, match="names nowhere"):
        nightly.run_nightly(context)
    assert done[-1] == "report"


def test_without_a_model_there_is_nothing_to_evaluate(
    context: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = record_steps(monkeypatch, [Outcome("churn", "refused", "loses to its rule")], None)
    assert nightly.run_nightly(context)[1] == []
    assert done == ["usability"]


def test_wrong_settings_stop_before_the_training(
    context: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = record_steps(monkeypatch, [KEPT], None)
    context.company = context.company.model_copy(update={"insight": {"tires": {}}})
    with pytest.raises(ConfigRefused, match=r"unknown section insight\.tires"):
        nightly.run_nightly(context)
    assert not done
