"""The survival curve of a trained company, compared with what really happened to its customers."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.config.company import load_company
from features.history_store import Manifest
from features.settings import Workspace
from models.learners.lightgbm import Params
from models.learners.survival_curve import MONTH, MONTHS, SurvivalCurve
from models.targets.registry import TARGETS
from models.training.fit_survival import SurvivalAgreement, fit_survival
from models.training.train import TrainedTarget, load_rows, train
from models.training_set.splits import microseconds
from support.trained_company import SAMPLE_TARGETS, copy_of_trained, trained

DAY = 86_400e6


@pytest.fixture(scope="module")
def churn() -> TrainedTarget:
    workspace = trained()[0]
    company = load_company(workspace.data / "sample.toml")
    rows = load_rows(company, workspace, "churn")
    return train(TARGETS["churn"], company, rows, Params(max_rounds=40, leaves=4))


def learnt(churn: TrainedTarget, workspace: Workspace) -> tuple[SurvivalCurve, SurvivalAgreement]:
    company = load_company(workspace.data / "sample.toml")
    return fit_survival(churn, company, workspace, Manifest.read(workspace, "sample"))


@pytest.fixture(scope="module")
def found(churn: TrainedTarget) -> tuple[SurvivalCurve, SurvivalAgreement]:
    return learnt(churn, trained()[0])


def cancelled(workspace: Workspace, keys: pa.Table) -> np.ndarray:
    """Days from each row's cutoff to the next cancellation, infinite without one."""
    events = pq.read_table(workspace.history("sample") / "events.parquet")
    events = events.filter(pc.equal(events["kind"], "cancel"))
    gone: dict[str, list[float]] = {}
    moments = events["occurred_at"].cast(pa.int64()).to_pylist()
    for who, moment in zip(events["customer_id"].to_pylist(), moments, strict=True):
        gone.setdefault(who, []).append(moment)
    cutoffs = keys["cutoff"].cast(pa.int64()).to_pylist()
    after = [
        [m - cutoff for m in gone.get(who, []) if m >= cutoff]
        for who, cutoff in zip(keys["customer_id"].to_pylist(), cutoffs, strict=True)
    ]
    return np.array([min(each, default=np.inf) / DAY for each in after])


def test_what_is_observed_of_the_test_is_the_share_that_stayed(
    churn: TrainedTarget, found: tuple[SurvivalCurve, SurvivalAgreement]
) -> None:
    workspace, agreement = trained()[0], found[1]
    keys = pq.read_table(
        workspace.features("sample") / "churn.parquet", columns=["customer_id", "cutoff"]
    ).filter(pa.array(churn.split.test))
    end = microseconds(Manifest.read(workspace, "sample").end)
    days = (end - microseconds(churn.split.test_start)) / DAY
    whole = int(days / MONTH)
    gone = cancelled(workspace, keys)
    # one test cutoff: everybody is seen for as long, and nobody is lost on the way
    stayed = [float((gone > m * MONTH).mean()) for m in range(whole + 1)]
    assert agreement.later_observed[: whole + 1] == pytest.approx(stayed)
    assert agreement.later_observed[whole + 1 :] == [None] * (MONTHS - whole)
    assert stayed[-1] < 1


def test_what_is_predicted_falls_with_what_is_observed(
    found: tuple[SurvivalCurve, SurvivalAgreement],
) -> None:
    survival, agreement = found
    assert len(survival.level) == MONTHS
    assert agreement.learnt_months == survival.learnt >= 3
    known = [m for m, v in enumerate(agreement.seen_observed) if v is not None]
    assert known == list(range(len(known)))
    assert len(known) > survival.learnt
    for predicted in (agreement.seen_predicted, agreement.later_predicted):
        assert len(predicted) == MONTHS + 1
        assert predicted[0] == 1
        assert predicted == sorted(predicted, reverse=True)
    within = range(survival.learnt + 1)
    seen = np.array(agreement.seen_predicted)[within]
    np.testing.assert_allclose(seen, [agreement.seen_observed[m] for m in within], atol=0.05)
    assert json.loads(json.dumps(agreement.to_dict()))["later_observed"][-1] is None


def test_the_curve_has_not_seen_what_happened_from_the_test_on(
    churn: TrainedTarget, found: tuple[SurvivalCurve, SurvivalAgreement], tmp_path: Path
) -> None:
    _, workspace = copy_of_trained(tmp_path / "home")
    path = workspace.history("sample") / "events.parquet"
    events = pq.read_table(path)
    before = pc.less(events["occurred_at"], pa.scalar(churn.split.test_start))
    pq.write_table(events.filter(before), path)
    survival, agreement = learnt(churn, workspace)
    assert survival == found[0]
    assert agreement.seen_observed == found[1].seen_observed
    assert agreement.later_observed != found[1].later_observed  # that is about the test


def test_a_model_that_serves_brings_its_curve() -> None:
    for target in SAMPLE_TARGETS:
        path = trained()[0].serving("sample") / target / "1/manifest.json"
        curve = json.loads(path.read_text(encoding="utf-8"))["survival"]
        assert (curve is not None) == (target == "churn")
    horizon = load_company(trained()[0].data / "sample.toml").target("churn").horizon_days
    path = trained()[0].serving("sample") / "churn/1/manifest.json"
    kept = SurvivalCurve.from_dict(json.loads(path.read_text(encoding="utf-8"))["survival"])
    assert kept.anchor == pytest.approx(horizon / MONTH)
