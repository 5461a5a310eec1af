"""How trees are grown: the defaults, a seeded search that cannot end worse, and what it leaves."""

from dataclasses import asdict
from datetime import UTC
from pathlib import Path

import pytest

from features.config.company import Company, load_company
from features.errors import DataRefused
from features.settings import Workspace
from models.learners.lightgbm import Params
from models.targets.registry import TARGETS
from models.training.hyperparameters import (
    FILE,
    OBJECTIVES,
    SPACE,
    TuningResult,
    default_params,
    learner_kind,
    load_params,
    search_params,
    write_tuned,
)

PROJECT = Path(__file__).parents[3]
CHURN, VALUE = TARGETS["churn"], TARGETS["value"]


class Bowl:
    """A loss whose best is known: leaves at `best`; remembers what it was asked."""

    def __init__(self, best: int) -> None:
        self.best, self.asked = best, []

    def __call__(self, params: Params) -> float:
        self.asked.append(params)
        return abs(params.leaves - self.best) / 10 + 1


@pytest.fixture
def place(tmp_path: Path) -> tuple[Company, Workspace]:
    workspace = Workspace(tmp_path)
    workspace.company("sample").mkdir(parents=True)
    return load_company(PROJECT / "data/sample.toml"), workspace


def test_an_ordinal_target_is_learnt_as_classes_and_each_kind_has_its_defaults() -> None:
    targets = [TARGETS[name] for name in ("satisfaction", "nps", "churn", "value")]
    assert [learner_kind(t) for t in targets] == [
        "multiclass", "multiclass", "binary", "regression",
    ]  # fmt: skip
    found = {t.name: default_params(t) for t in targets}
    assert {n: (p.n_classes, p.leaves, p.objective) for n, p in found.items()} == {
        "satisfaction": (5, 8, None), "nps": (3, 8, None), "churn": (2, 4, None),
        "value": (1, 31, "l1"),
    }  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
def test_the_defaults_are_the_first_trial_and_lie_within_what_is_searched(name: str) -> None:
    loss, target = Bowl(20), TARGETS[name]
    search_params(target, loss, trials=3, seconds=60, seed=1)
    start = default_params(target)
    assert loss.asked[0] == start
    assert len(loss.asked) == 3
    for params in loss.asked:
        for column, (low, high) in SPACE.items():
            assert low <= getattr(params, column) <= high
        assert params.objective in (OBJECTIVES if name == "value" else (None,))
        assert (params.n_classes, params.max_rounds) == (start.n_classes, start.max_rounds)


def test_the_same_seed_tries_the_same_and_another_seed_does_not() -> None:
    one, again, other = Bowl(20), Bowl(20), Bowl(20)
    for loss, seed in ((one, 7), (again, 7), (other, 8)):
        search_params(VALUE, loss, trials=12, seconds=600, seed=seed)
    assert one.asked == again.asked
    assert one.asked[0] == other.asked[0]
    assert one.asked[1:] != other.asked[1:]


def test_the_search_finds_the_minimum_and_reports_the_gain() -> None:
    loss = Bowl(30)
    found = search_params(CHURN, loss, trials=40, seconds=600, seed=3)
    assert abs(found.params["leaves"] - 30) <= 2
    assert found.loss == min(loss(p) for p in loss.asked[:40])
    assert found.default_loss == 1 + (30 - 4) / 10
    assert (found.better, found.trials, found.seed) == (True, 40, 3)


def test_where_the_defaults_are_best_they_stay() -> None:
    found = search_params(CHURN, Bowl(4), trials=6, seconds=60, seed=3)
    assert found.loss == found.default_loss == 1.0
    assert not found.better


def test_the_time_ends_the_search() -> None:
    loss = Bowl(10)
    found = search_params(CHURN, loss, trials=10_000, seconds=0.3, seed=3)
    assert 1 <= found.trials == len(loss.asked) < 10_000


def test_every_trial_is_kept_the_defaults_first_and_a_refused_one_with_its_reason() -> None:
    def loss(params: Params) -> float:
        if params.objective == "tweedie":
            raise DataRefused("3 of 9 labels are negative")
        return float(params.leaves)

    found = search_params(VALUE, loss, trials=30, seconds=60, seed=5)
    assert len(found.tried) == found.trials == 30
    assert found.tried[0].loss == found.default_loss == default_params(VALUE).leaves
    assert min(t.loss for t in found.tried if t.loss is not None) == found.loss
    refused = {t.params["objective"]: t.refused for t in found.tried if t.loss is None}
    assert refused == {"tweedie": "3 of 9 labels are negative"}
    moments = [moment for t in found.tried for moment in (t.began, t.ended)]
    assert moments == sorted(moments)
    assert {moment.tzinfo for moment in moments} == {UTC}


def test_what_was_found_is_trained_with_and_the_rest_keeps_its_defaults(
    place: tuple[Company, Workspace],
) -> None:
    company, workspace = place
    assert load_params(company, workspace, CHURN) == default_params(CHURN)
    found = {
        "churn": TuningResult({"leaves": 12, "l2": 3.5}, 0.4, 0.5, 9, 7),
        "value": TuningResult({"leaves": 5}, 0.5, 0.5, 9, 7),  # not better
    }
    write_tuned(company, workspace, found)
    assert [f.name for f in workspace.company("sample").iterdir()] == [FILE]
    params = load_params(company, workspace, CHURN)
    assert asdict(params) == {**asdict(default_params(CHURN)), "leaves": 12, "l2": 3.5}
    assert load_params(company, workspace, VALUE) == default_params(VALUE)


def test_a_whole_search_can_be_read_again(place: tuple[Company, Workspace]) -> None:
    company, workspace = place
    found = search_params(VALUE, Bowl(60), trials=12, seconds=60, seed=5)
    write_tuned(company, workspace, {"value": found})
    params = load_params(company, workspace, VALUE)
    assert {k: getattr(params, k) for k in found.params} == found.params
    assert params.objective in OBJECTIVES


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "AttributeError"),
        ('{"churn": {"loss": 1}}', "KeyError: 'params'"),
        ('{"churn": 3}', "TypeError"),
        ('{"churn": {"params": {"branches": 3}}}', "branches is not searched for churn"),
        ('{"churn": {"params": {"seed": 3}}}', "seed is not searched"),
        ('{"churn": {"params": {"objective": "l1"}}}', "objective is not searched for churn"),
        (
            '{"churn": {"params": {"leaves": "many"}}}',
            "leaves = 'many' is not a whole number from 3",
        ),
        ('{"churn": {"params": {"leaves": 4.5}}}', "leaves = 4.5 is not a whole number"),
        ('{"churn": {"params": {"l2": true}}}', "l2 = True is not a number from 0.1 to 50"),
        ('{"churn": {"params": {"learning_rate": NaN}}}', "learning_rate = nan is not a number"),
        ('{"churn": {"params": {"feature_fraction": 3}}}', "feature_fraction = 3 is not"),
    ],
)
def test_a_broken_file_is_refused_with_what_to_do(
    place: tuple[Company, Workspace], content: str, message: str
) -> None:
    company, workspace = place
    (workspace.company("sample") / FILE).write_text(content)
    with pytest.raises(DataRefused, match=message) as err:
        load_params(company, workspace, CHURN)
    assert "tuned.json cannot be read" in str(err.value)
    assert "make it again with `goodwill tune`, or delete it" in str(err.value)


def test_an_unknown_objective_is_refused_and_a_known_one_is_used(
    place: tuple[Company, Workspace],
) -> None:
    company, workspace = place
    path = workspace.company("sample") / FILE
    path.write_text('{"value": {"params": {"objective": "magic"}}}')
    with pytest.raises(DataRefused, match=r"objective 'magic' is not one of \('l1'"):
        load_params(company, workspace, VALUE)
    path.write_text('{"value": {"params": {"objective": "tweedie", "l2": 2}}}')
    assert load_params(company, workspace, VALUE).objective == "tweedie"
