"""One question studied, beside the truth of a simulated company, which only tests may read."""

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
def studied(
    make_company: Callable[..., tuple[Company, Workspace]],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[NonresponseModel, np.ndarray]:  # type: ignore[type-arg]
    """NPS of a company of 1,500 customers, and what everybody asked would have answered."""
    company, workspace = make_company(tmp_path_factory.mktemp("studied"), 1500, seed=1001)
    manifest = Manifest.read(workspace, company.name)
    asked = load_invitations(TARGETS["nps"], company, workspace, manifest)
    truth: Path = workspace.company("sample") / "truth" / "answers.parquet"
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    answers = con.execute(
        "select answer from read_parquet(?) where instrument = 'nps' and sent_at <= ? "
        "order by account_no, sent_at",
        [str(truth), asked.ends.isoformat()],
    ).fetchnumpy()["answer"]
    con.close()
    return fit_nonresponse_model(TARGETS["nps"], asked), np.digitize(answers, (7, 9)).astype(float)


def test_the_answers_are_a_part_of_the_truth(studied: tuple[NonresponseModel, np.ndarray]) -> None:  # type: ignore[type-arg]
    made, truth = studied
    heard = made.asked.answered
    assert made.asked.level[heard].tolist() == truth[heard].tolist()


def test_everybody_is_nearer_to_the_truth_than_those_who_answered(
    studied: tuple[NonresponseModel, np.ndarray],  # type: ignore[type-arg]
) -> None:
    made, truth = studied
    figure = ANSWER_METRICS["nps"][0]
    true = figure.of(truth[made.asked.recent]).mean()
    plain = estimate_respondents(made.asked, figure)
    ours = aipw_mean(made.answers(figure))
    assert plain is not None
    assert plain.value - true > 4
    assert abs(ours.value - true) < 0.6 * (plain.value - true)
    assert ours.low < true < ours.high


def test_weights_mend_most_of_what_differs(studied: tuple[NonresponseModel, np.ndarray]) -> None:  # type: ignore[type-arg]
    made, _ = studied
    found = made.balance()
    assert abs(found.before).max() > 0.2
    assert abs(found.after).max() < 0.6 * abs(found.before).max()
    assert 0.5 < made.weights.effective / (made.asked.answered & made.asked.recent).sum() < 1


def few(asked: Invitations, keep: int) -> Invitations:
    """The same invitations with only so many recent ones answered."""
    heard = np.flatnonzero(asked.answered & asked.recent)
    level = asked.level.copy()
    level[heard[keep:]] = np.nan
    return replace(asked, level=level)


def test_too_few_answers_are_refused(studied: tuple[NonresponseModel, np.ndarray]) -> None:  # type: ignore[type-arg]
    asked = studied[0].asked
    check_enough_answers(few(asked, 200))
    with pytest.raises(DataRefused, match="199 answers to the invitations of the last year; 200"):
        check_enough_answers(few(asked, 199))


def test_where_everybody_answers_nothing_can_be_corrected(
    studied: tuple[NonresponseModel, np.ndarray],  # type: ignore[type-arg]
) -> None:
    made, truth = studied
    with pytest.raises(DataRefused, match="0 were never answered"):
        fit_nonresponse_model(made.target, replace(made.asked, level=truth))
    late = replace(made.asked, late=~made.asked.answered)  # late answers say nothing of silence
    with pytest.raises(DataRefused, match="answered questions only: nothing can be corrected"):
        check_enough_answers(late)


def test_figures_are_worth_what_they_say() -> None:
    csat, satisfied = ANSWER_METRICS["satisfaction"]
    levels = np.array([0.0, 3.0, 4.0, np.nan])
    assert csat.of(levels).tolist() == [0.0, 75.0, 100.0, 0.0]
    assert satisfied.of(levels).tolist() == [0.0, 100.0, 100.0, 0.0]
    assert csat.expected(np.array([[0.5, 0, 0, 0, 0.5]])).tolist() == [50.0]
    for target, figures in ANSWER_METRICS.items():
        assert {len(f.worth) for f in figures} == {len(TARGETS[target].classes)}
