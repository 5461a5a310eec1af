"""A night publishes what it could make, and fails at the end for a part that is missing."""

import errno
import os
from pathlib import Path

import pytest

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.errors import ConfigRefused, DataRefused, PartMissing
from features.formatting import Language
from features.result_sets import staged_results
from features.settings import Workspace
from insight.evaluation.evaluation_files import EVALUATION_FILE, STATUS_FILE, evaluation_folder
from models.pipeline import retrain as chain
from models.pipeline.train_target import Outcome
from serve.cli import nightly
from serve.cli.command_context import CommandContext
from support.evaluation_builders import write


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

    def evaluate(*_: object, cores: int) -> list[Path]:
        done.append("evaluate")
        if isinstance(evaluation, Exception):
            raise evaluation
        return []

    def report(
        company: Company, workspace: Workspace, steps: object, language: Language
    ) -> list[Path]:
        done.append("report")
        path = workspace.report(company.name, language)
        path.write_text("the report", encoding="utf-8")
        return [path]

    monkeypatch.setattr(chain, "run_chain", lambda *_, **__: outcomes)
    monkeypatch.setattr(
        "models.pipeline.repair_after_kill.follow_published_pointers",
        lambda *_: done.append("aliases"),
    )
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
    assert done == ["usability", "evaluate", "report", "aliases"]
    assert outcomes == [KEPT]
    assert [path.name for path in paths] == ["report.html"]
    assert (context.workspace.report("sample")).read_text("utf-8") == "the report"
    context.check_parts()


def test_the_report_of_a_night_has_the_language_that_was_asked_for(
    context: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_steps(monkeypatch, [KEPT], None)
    assert [p.name for p in nightly.run_nightly(context, language="zh")[1]] == ["report.zh.html"]
    assert [p.name for p in nightly.run_nightly(context)[1]] == ["report.html", "report.zh.html"]


def test_an_unknown_language_stops_before_the_training(
    context: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = record_steps(monkeypatch, [KEPT], None)
    monkeypatch.setenv("LANG_REPORT", "de")
    with pytest.raises(ConfigRefused, match="LANG_REPORT='de'"):
        nightly.run_nightly(context)
    assert not done


@pytest.mark.parametrize("error", [DataRefused("no surveys"), ZeroDivisionError("a plot")])
def test_a_night_without_an_evaluation_is_published_and_ends_with_7(
    context: CommandContext, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with staged_results(context.workspace, "sample") as staged:
        write(evaluation_folder(staged, "sample"), "sample")  # of the night before
    done = record_steps(monkeypatch, [KEPT], error)
    nightly.run_nightly(context)
    assert done[-2:] == ["report", "aliases"]
    folder = evaluation_folder(context.workspace, "sample")
    assert not (folder / EVALUATION_FILE).exists(), "new scores are not seen with old tiers"
    assert not (folder / STATUS_FILE).exists()
    with pytest.raises(PartMissing, match=str(error)) as missing:
        context.check_parts()
    assert missing.value.exit_code == 7


def test_a_full_disk_ends_the_night_and_publishes_nothing(
    context: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    done = record_steps(monkeypatch, [KEPT], full)
    with pytest.raises(OSError, match="No space left"):
        nightly.run_nightly(context)
    assert done == ["usability", "evaluate"]
    assert not context.workspace.report("sample").exists()


def test_without_a_model_there_is_nothing_to_evaluate(
    context: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = record_steps(monkeypatch, [Outcome("churn", "refused", "loses to its rule")], None)
    assert nightly.run_nightly(context)[1] == []
    assert done == ["usability", "aliases"]


def test_wrong_settings_stop_before_the_training(
    context: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = record_steps(monkeypatch, [KEPT], None)
    context.company = context.company.model_copy(update={"insight": {"tires": {}}})
    with pytest.raises(ConfigRefused, match=r"unknown section insight\.tires"):
        nightly.run_nightly(context)
    assert not done


def test_a_rollback_during_the_night_is_scored_evaluated_and_reported_again(
    context: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with staged_results(context.workspace, "sample") as staged:
        pointer = staged.serving("sample") / "churn" / "champion.json"
        pointer.parent.mkdir(parents=True)
        pointer.write_text("2", encoding="utf-8")
    done = record_steps(monkeypatch, [KEPT], None)

    def roll_back(*_: object, **__: object) -> list[Outcome]:
        live = context.workspace.serving("sample") / "churn" / "champion.json"
        write_text_atomically(live, "1")
        return [KEPT]

    monkeypatch.setattr(chain, "run_chain", roll_back)
    monkeypatch.setattr(
        "models.scoring.checkpointed_batch.score_and_explain", lambda *_: done.append("score")
    )
    nightly.run_nightly(context)
    assert done == ["usability", "evaluate", "report", "score", "evaluate", "report", "aliases"]
    served = context.workspace.serving("sample") / "churn" / "champion.json"
    assert served.read_text("utf-8") == "1"
