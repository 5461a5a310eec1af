"""The non-response model of one question against the ground truth of a simulated company."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest
from features.settings import Workspace
from models.nonresponse.aipw import aipw_mean
from models.nonresponse.estimate import (
    ANSWER_METRICS,
    NonresponseModel,
    check_enough_answers,
    estimate_respondents,
    fit_nonresponse_model,
)
from models.nonresponse.invitations import Invitations, load_invitations
from models.targets.registry import TARGETS


@pytest.fixture(scope="module")
def nps_model(
    make_company: Callable[..., tuple[Company, Workspace]],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[NonresponseModel, np.ndarray]:  # type: ignore[type-arg]
    """The NPS model of a company with 1,500 customers, and the true class of every invitation."""
    company, workspace = make_company(tmp_path_factory.mktemp("nps_model"), 1500, seed=1001)
    manifest = Manifest.read(workspace, company.name)
    invitations = load_invitations(TARGETS["nps"], company, workspace, manifest)
    truth: Path = workspace.company("sample") / "truth" / "answers.parquet"
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    answers = con.execute(
        "select answer from read_parquet(?) where instrument = 'nps' and sent_at <= ? "
        "order by account_no, sent_at",
        [str(truth), invitations.ends.isoformat()],
    ).fetchnumpy()["answer"]
    con.close()
    return fit_nonresponse_model(TARGETS["nps"], invitations), np.digitize(answers, (7, 9)).astype(
        float
    )


def test_observed_answers_equal_the_truth(nps_model: tuple[NonresponseModel, np.ndarray]) -> None:  # type: ignore[type-arg]
    model, truth = nps_model
    answered = model.invitations.answered
    assert model.invitations.level[answered].tolist() == truth[answered].tolist()


def test_the_corrected_nps_is_closer_to_the_truth_than_the_uncorrected(
    nps_model: tuple[NonresponseModel, np.ndarray],  # type: ignore[type-arg]
) -> None:
    model, truth = nps_model
    metric = ANSWER_METRICS["nps"][0]
    true = metric.observed(truth[model.invitations.recent]).mean()
    plain = estimate_respondents(model.invitations, metric)
    corrected = aipw_mean(model.aipw_inputs(metric))
    assert plain is not None
    assert plain.value - true > 4
    assert abs(corrected.value - true) < 0.6 * (plain.value - true)
    assert corrected.low < true < corrected.high


def test_weights_remove_most_of_the_imbalance(
    nps_model: tuple[NonresponseModel, np.ndarray],
) -> None:  # type: ignore[type-arg]
    model, _ = nps_model
    found = model.covariate_balance()
    assert abs(found.before).max() > 0.2
    assert abs(found.after).max() < 0.6 * abs(found.before).max()
    assert (
        0.5
        < model.weights.effective_size
        / (model.invitations.answered & model.invitations.recent).sum()
        < 1
    )


def keep_answers(invitations: Invitations, keep: int) -> Invitations:
    """The invitations with only `keep` recent answers."""
    answered = np.flatnonzero(invitations.answered & invitations.recent)
    level = invitations.level.copy()
    level[answered[keep:]] = np.nan
    return replace(invitations, level=level)


def test_too_few_answers_are_refused(nps_model: tuple[NonresponseModel, np.ndarray]) -> None:  # type: ignore[type-arg]
    invitations = nps_model[0].invitations
    check_enough_answers(keep_answers(invitations, 200))
    with pytest.raises(DataRefused, match="199 answers to the invitations of the last year; 200"):
        check_enough_answers(keep_answers(invitations, 199))


def test_without_nonrespondents_nothing_can_be_corrected(
    nps_model: tuple[NonresponseModel, np.ndarray],  # type: ignore[type-arg]
) -> None:
    model, truth = nps_model
    with pytest.raises(
        DataRefused, match=r"^0 of .* invitations of the last year were never answered"
    ):
        fit_nonresponse_model(model.target, replace(model.invitations, level=truth))
    late = replace(
        model.invitations, late=~model.invitations.answered
    )  # late answers are not non-response
    with pytest.raises(DataRefused, match="answered questions only: nothing can be corrected"):
        check_enough_answers(late)


def test_metrics_map_classes_to_values() -> None:
    csat, satisfied = ANSWER_METRICS["satisfaction"]
    levels = np.array([0.0, 3.0, 4.0, np.nan])
    assert csat.observed(levels).tolist() == [0.0, 75.0, 100.0, 0.0]
    assert satisfied.observed(levels).tolist() == [0.0, 100.0, 100.0, 0.0]
    assert csat.expected(np.array([[0.5, 0, 0, 0, 0.5]])).tolist() == [50.0]
    for target, metrics in ANSWER_METRICS.items():
        assert {len(m.class_values) for m in metrics} == {len(TARGETS[target].classes)}
