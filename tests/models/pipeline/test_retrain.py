"""The whole chain: what is promoted, what is kept, what is refused, and what is left alone."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.company_lock import company_lock
from features.config.company import Company, load_company
from features.errors import AlreadyRunning, DataRefused, GateFailed
from features.import_history.accepted_losses import AcceptedLoss
from features.progress import silent_steps
from features.settings import Workspace
from models.bundles.bundle import Bundle, write_bundle
from models.bundles.champions import load_champion, set_champion
from models.bundles.mlflow_registry import Registry, model_name
from models.evaluation.bootstrap import Interval
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.pipeline import champion_rule, train_target
from models.pipeline import retrain as pipeline
from models.pipeline.retrain import Outcome, check_gate, retrain
from models.plots import all_plots
from models.targets.registry import TARGETS
from models.training import train
from models.training.train import load_rows, split_rows
from models.training_set.build_training_sets import build_features
from models.validation.slice_metrics import Slice, Slices
from models.validation.staleness import Staleness
from models.validation.validation_checks import ValidationChecks
from support.trained_company import (
    SAMPLE_TARGETS,
    copy_of_trained,
    relabel,
    simulated,
    train_only,
    trained,
    unchanged,
)


@pytest.fixture(autouse=True)
def _no_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing and validation take longer than training; the trained company has both.

    Slow tests validate.
    """
    trained()
    monkeypatch.setattr(all_plots, "draw_all", lambda *_, **__: {})
    if not request.node.get_closest_marker("slow"):
        unobjectionable = Slices("roc_auc", "rule", (), (), ())
        passed = ValidationChecks((), unobjectionable, Staleness("roc_auc", 0.5, ()))
        monkeypatch.setattr(train_target, "run_checks", lambda *_: passed)


@pytest.fixture
def copied(tmp_path: Path) -> tuple[Company, Workspace]:
    return copy_of_trained(tmp_path / "home")


def test_the_first_models_are_promoted() -> None:
    workspace, outcomes = trained()
    assert [o.target for o in outcomes] == list(SAMPLE_TARGETS)
    assert {(o.decision, o.version) for o in outcomes} == {("promoted", "1")}
    assert all(
        o.reason.startswith("the first model; better than the baseline rule") for o in outcomes
    )
    assert {o.grade for o in outcomes} <= {"A", "B"}
    written = json.loads((workspace.company("sample") / "outcomes.json").read_text())
    assert [Outcome(**o) for o in written] == outcomes
    check_gate(outcomes)


def test_the_log_has_a_json_line_for_every_step() -> None:
    lines = [json.loads(line) for line in trained()[0].log("sample").read_text().splitlines()]
    steps = [line["step"] for line in lines]
    each = [f"{verb} {t}" for t in SAMPLE_TARGETS for verb in ("train", "validate", "refit", "log")]
    each.insert(each.index("validate churn"), "survival curve")
    assert steps == [
        *(f"check {t}" for t in ("customers", "events", "surveys", "tickets")),
        "compare rows with the stored history", "check data quality", "labels",
        "comment score model",
        *(f"features for {t}" for t in SAMPLE_TARGETS),
        "snapshot of all customers", "open the tracking store", "leakage check", *each,
        "agreement of churn and value", "score and explain every customer",
        "check consistency of predictions",
        "estimate non-response: satisfaction", "estimate non-response: nps",
    ]  # fmt: skip
    assert {line["outcome"] for line in lines} == {"ok"}
    assert all(line["seconds"] >= 0 and line["at"].endswith("+00:00") for line in lines)
    assert lines[steps.index("train churn")]["grade"] in "AB"
    assert "A0000" not in trained()[0].log("sample").read_text()


@pytest.mark.slow
def test_the_same_data_again_keep_the_champion(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    with unchanged(workspace):
        outcomes = retrain(company, workspace, silent_steps())
    assert {(o.decision, o.version) for o in outcomes} == {("kept", "1")}
    assert {o.reason for o in outcomes} == {
        "the labels are those of version 1; a model of the same labels never replaces the champion"
    }
    registry = Registry(workspace)
    aliases = registry.client.get_registered_model(model_name("sample", "churn")).aliases
    assert {k: str(v) for k, v in aliases.items()} == {"champion": "1", "challenger": "2"}


def plant(company: Company, workspace: Workspace, target: str, learns: str, **changes: object):  # type: ignore[no-untyped-def]
    """Make a model of other labels the champion: random ones, or those of the very test rows."""
    rows = load_rows(company, workspace, target)
    split = split_rows(TARGETS[target], company.target(target), rows)
    part = rows.take(split.refit if learns == "noise" else split.test)
    label = np.random.default_rng(3).permutation(part.label) if learns == "noise" else part.label
    params = Params(n_classes=3, max_rounds=60, min_data_in_leaf=5)
    estimator = Estimator.fit("multiclass", LabelledRows(part.features, label), None, params)
    serving = workspace.serving("sample")
    old = load_champion(serving, target)
    assert old is not None
    manifest = replace(old.manifest, version="0", **{"labels_digest": "others", **changes})
    write_bundle(Bundle(estimator, replace(old.calibrator, method="identity", parameters=None),
                        manifest, old.tone), serving / target / "0")  # fmt: skip
    set_champion(serving, target, "0")


def test_a_better_challenger_replaces_the_champion(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    plant(company, workspace, "nps", "noise")
    (outcome,) = train_only(company, workspace, "nps")
    assert (outcome.decision, outcome.version) == ("promoted", "2")
    assert "the challenger replaces the champion: multiclass_log_loss" in outcome.reason
    now = load_champion(workspace.serving("sample"), "nps")
    assert now is not None
    assert now.version == "2"
    registry = Registry(workspace)
    aliases = registry.client.get_registered_model(model_name("sample", "nps")).aliases
    assert {k: str(v) for k, v in aliases.items()} == {"champion": "2", "previous": "1"}


@pytest.mark.slow
def test_a_worse_challenger_does_not(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    plant(company, workspace, "nps", "the test")
    with unchanged(workspace):
        (outcome,) = train_only(company, workspace, "nps")
    assert (outcome.decision, outcome.version) == ("kept", "0")
    assert "does not replace" in outcome.reason
    check_gate([outcome])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"horizon_days": 60}, "has another horizon_days", marks=pytest.mark.slow),
        pytest.param({"gap_days": 7}, "has another gap_days", marks=pytest.mark.slow),
        ({"also_reads": ["shoe_size"]}, "needs shoe_size"),
    ],
)
def test_a_champion_of_another_question_is_not_compared(
    copied: tuple[Company, Workspace], changes: dict[str, object], why: str
) -> None:
    company, workspace = copied
    plant(company, workspace, "nps", "the test", **changes)
    (outcome,) = train_only(company, workspace, "nps")
    assert outcome.decision == "promoted"
    assert outcome.reason == f"version 0 cannot be compared: it {why}"


@pytest.mark.slow
def test_a_broken_champion_is_replaced_and_named(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    (workspace.serving("sample") / "nps/1/model.txt").write_text("tree\n")
    (outcome,) = train_only(company, workspace, "nps")
    assert (outcome.decision, outcome.version) == ("promoted", "2")
    assert outcome.reason.startswith("the champion cannot be read (bundle ")


def upside_down(company: Company, workspace: Workspace) -> None:
    """In the test, those who stay are now those who leave: no model can foresee that."""
    rows = load_rows(company, workspace, "churn")
    split = split_rows(TARGETS["churn"], company.target("churn"), rows)
    relabel(workspace, "churn", np.where(split.test, 1 - rows.label, rows.label))


@pytest.mark.slow
def test_a_model_of_grade_c_is_never_promoted(
    copied: tuple[Company, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    company, workspace = copied
    upside_down(company, workspace)
    monkeypatch.setattr(train, "predict_origins", lambda *_: ())  # judged at the latest test alone
    with unchanged(workspace):
        (kept,) = train_only(company, workspace, "churn")
    assert (kept.decision, kept.version, kept.grade) == ("kept", "1", "C")
    check_gate([kept])
    (workspace.serving("sample") / "churn/champion.json").unlink()
    with unchanged(workspace):
        (refused,) = train_only(company, workspace, "churn")
    assert (refused.decision, refused.version, refused.grade) == ("refused", None, "C")
    with pytest.raises(GateFailed, match=r"fit to serve for:\n  - churn: not better than") as gate:
        check_gate([refused])
    assert gate.value.exit_code == 4


def objecting(rival: str) -> Slices:
    """Groups of which one is lost to the rival."""
    bad, good = Interval(-0.3, -0.4, -0.2), Interval(0.2, 0.1, 0.3)
    lost = Slice("crm_plan", "basic", 250, 250, good, good, bad, 0.001, 0.1, 0.5, 0.5)
    kept = replace(lost, value="premium", gain=good, worse=1.0)
    return Slices("roc_auc", rival, (kept, lost), (), ())


@pytest.mark.slow
def test_a_model_that_loses_to_its_rule_in_one_group_is_refused(
    copied: tuple[Company, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    company, workspace = copied
    looked = ValidationChecks((), objecting("rule"), Staleness("roc_auc", 0.5, ()))
    monkeypatch.setattr(train_target, "run_checks", lambda *_: looked)
    card = (workspace.cards("sample") / "churn.md").read_bytes()
    with unchanged(workspace):
        (kept,) = train_only(company, workspace, "churn")
    assert (kept.decision, kept.version) == ("kept", "1")
    assert kept.grade in ("A", "B")
    assert kept.reason.startswith(
        "worse than the rule for plan: basic: roc_auc 0.2 against 0.2 on 250"
    )
    assert (workspace.cards("sample") / "churn.md").read_bytes() == card
    (workspace.serving("sample") / "churn/champion.json").unlink()
    with unchanged(workspace):
        (refused,) = train_only(company, workspace, "churn")
    assert (refused.decision, refused.version) == ("refused", None)
    with pytest.raises(GateFailed, match="churn: worse than the rule for plan: basic"):
        check_gate([refused])


@pytest.mark.slow
def test_a_better_challenger_that_loses_in_one_group_does_not_replace_the_champion(
    copied: tuple[Company, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    company, workspace = copied
    plant(company, workspace, "nps", "noise")
    monkeypatch.setattr(champion_rule, "compare_by_slice", lambda *rivals: objecting(rivals[4]))
    with unchanged(workspace):
        (outcome,) = train_only(company, workspace, "nps")
    assert (outcome.decision, outcome.version) == ("kept", "0")
    assert outcome.reason.startswith("worse than the champion for plan: basic")


@pytest.fixture
def locked(copied: tuple[Company, Workspace]) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the company's lock."""
    lock = copied[1].mlruns / "locks/sample.lock"
    program = (
        "import sys; from filelock import FileLock\n"
        "with FileLock(sys.argv[1]): print('held', flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(lock)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as holder:  # fmt: skip
        assert holder.stdout.readline() == "held\n"  # type: ignore[union-attr]
        yield holder
        if holder.poll() is None:
            holder.communicate("\n", timeout=20)


def test_a_second_run_at_the_same_time_is_refused(
    copied: tuple[Company, Workspace], locked: subprocess.Popen[str]
) -> None:
    company, workspace = copied
    with unchanged(workspace), pytest.raises(AlreadyRunning, match=r"sample\.lock") as refused:
        retrain(company, workspace, silent_steps())
    assert refused.value.exit_code == 5
    locked.kill()
    locked.wait()
    with company_lock(workspace, company.name):  # a killed run leaves no lock behind
        pass


def rewrite(workspace: Workspace, name: str, keep: Callable[[pa.Table], pa.Array]) -> None:
    """Keep some rows of a raw table, as they are."""
    path = workspace.company("sample") / f"raw/{name}.parquet"
    table = pq.read_table(path)
    pq.write_table(table.filter(keep(table)), path)


@pytest.mark.slow
def test_data_without_a_single_cancellation_skip_churn_and_keep_its_champion(
    copied: tuple[Company, Workspace],
) -> None:
    company, workspace = copied
    rewrite(workspace, "contracts", lambda t: pc.not_equal(t["status"], "cancelled"))
    accepted = AcceptedLoss(("events",), "a company without cancellations")
    done = retrain(company, workspace, silent_steps(), accepted=accepted)
    outcomes = {o.target: o for o in done}
    assert outcomes["churn"].decision == "skipped"
    assert "churn: no label 'leaves'" in outcomes["churn"].reason
    assert {o.decision for t, o in outcomes.items() if t != "churn"} <= {"promoted", "kept"}
    assert load_champion(workspace.serving("sample"), "churn") is not None
    left = [p.name for p in workspace.company("sample").iterdir()]
    assert not [name for name in left if "before" in name or "new" in name]


def only_calendar_targets(workspace: Workspace) -> Company:
    """The company with churn and value only, and a horizon longer than its history."""
    toml = workspace.data / "sample.toml"
    text = toml.read_text()
    assert "horizon_days = 90" in text
    text = text.replace("horizon_days = 90", "horizon_days = 400")
    toml.write_text(text.replace("horizon_days = 30", "horizon_days = 30\nenabled = false"))
    return load_company(toml)


def test_a_history_too_short_for_every_target_is_refused_and_changes_nothing(
    copied: tuple[Company, Workspace],
) -> None:
    _, workspace = copied
    company = only_calendar_targets(workspace)
    with unchanged(workspace), pytest.raises(DataRefused) as refused:
        retrain(company, workspace, silent_steps())
    assert str(refused.value).count("three label windows need 1290 days") == 2
    assert refused.value.exit_code == 6


def test_a_history_too_short_for_some_targets_skips_them(
    copied: tuple[Company, Workspace],
) -> None:
    _, workspace = copied
    toml = workspace.data / "sample.toml"
    toml.write_text(toml.read_text().replace("horizon_days = 90", "horizon_days = 400"))
    counts, unable = build_features(load_company(toml), workspace, silent_steps())
    assert set(counts) == {"satisfaction", "nps"}
    assert set(unable) == {"churn", "value"}
    assert "three label windows need 1290 days" in unable["churn"]


def test_data_that_break_the_contract_change_nothing(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    rewrite(workspace, "crm_accounts", lambda t: pc.not_equal(t["account_no"], "A0000007"))
    with unchanged(workspace), pytest.raises(DataRefused, match="unknown customers"):
        retrain(company, workspace, silent_steps())


def test_a_target_that_crashes_does_not_stop_the_others(
    copied: tuple[Company, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    company, workspace = copied

    def one_crashes(target, company, rows, params):  # type: ignore[no-untyped-def]
        if target.name == "churn":
            raise ZeroDivisionError("not this one")
        return trains(target, company, rows, params)

    trains = train_target.train
    monkeypatch.setattr(train_target, "train", one_crashes)
    steps = silent_steps()
    nps, churn = train_only(company, workspace, "nps", "churn", steps=steps)
    assert nps.decision == "kept"
    assert (churn.decision, churn.reason) == ("skipped", "ZeroDivisionError: not this one")
    assert steps.missing == {"model of churn": "ZeroDivisionError: not this one"}
    champion = load_champion(workspace.serving("sample"), "churn")
    assert champion is not None
    assert champion.version == "1"


@pytest.mark.slow
def test_no_plot_and_no_card_stops_a_target(
    copied: tuple[Company, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    company, workspace = copied
    plant(company, workspace, "nps", "noise")

    def fails(*_: object, **__: object) -> None:
        raise ValueError("an axis without range")

    monkeypatch.setattr(all_plots, "draw_all", fails)
    monkeypatch.setattr(train_target, "build_card", fails)
    steps = silent_steps()
    (outcome,) = train_only(company, workspace, "nps", steps=steps)
    assert (outcome.decision, outcome.version) == ("promoted", "2")
    assert set(steps.missing) == {"plots of nps", "model card of nps"}
    assert not (workspace.cards("sample") / "nps.md").exists()  # that of version 1 would be wrong


def test_after_any_exception_the_results_are_as_they_were(
    copied: tuple[Company, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    company, workspace = copied

    def crash(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(pipeline, "train_all", crash)
    with unchanged(workspace), pytest.raises(MemoryError):
        retrain(company, workspace, silent_steps())


@pytest.mark.slow
def test_too_few_answers_skip_their_target_only(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    relabel(workspace, "nps", np.full(len(load_rows(company, workspace, "nps").label), 2.0))
    with unchanged(workspace):
        nps, churn = train_only(company, workspace, "nps", "churn")
    assert (nps.decision, churn.decision) == ("skipped", "kept")
    assert nps.reason.startswith("target nps: no label 'detractor' or 'passive' among the")
    with unchanged(workspace), pytest.raises(DataRefused, match="no label 'detractor'"):
        train_only(company, workspace, "nps")  # nothing else to train


@pytest.mark.slow
def test_a_company_without_surveys_trains_two_targets(tmp_path: Path) -> None:
    _, workspace = simulated(tmp_path / "home", 300)
    toml = workspace.data / "sample.toml"
    text = toml.read_text()
    start, end = text.index("[tables.surveys]"), text.index("[tables.tickets]")
    toml.write_text(text[:start] + text[end:])
    outcomes = {o.target: o for o in retrain(load_company(toml), workspace, silent_steps())}
    assert list(outcomes) == list(SAMPLE_TARGETS)
    for target in ("satisfaction", "nps"):
        assert outcomes[target].decision == "skipped"
        assert outcomes[target].reason == "the company has no surveys table"
        assert not (workspace.serving("sample") / target).exists()
    for target in ("churn", "value"):
        assert outcomes[target].decision in {"promoted", "refused"}
        assert outcomes[target].grade is not None
    columns = pq.read_schema(workspace.scores("sample")).names
    assert not [c for c in columns if c.startswith(("satisfaction", "nps"))]
    assert len(columns) > 4
