"""The lines of a score change add up to it, in both languages."""

import pytest

from models.explain.reasons import Explainer
from models.explain.score_change import split_score_change
from models.explain.score_change_lines import ScoreChangeExplainer
from support.small_models import customers, small_bundle

BEFORE, AFTER = customers(seed=31).slice(0, 12), customers(seed=32).slice(0, 12)


@pytest.mark.parametrize("target", ["churn", "nps", "value"])
def test_lines_add_up_to_the_change(target: str) -> None:
    method = {"churn": "platt", "nps": "vector", "value": "scale"}[target]
    old, new = small_bundle(target), small_bundle(target, method, seed=2)
    change = split_score_change(old, new, BEFORE, AFTER)
    teller = ScoreChangeExplainer(change, Explainer(new), BEFORE, AFTER)
    for row in range(12):
        shown = teller.lines(row)
        total = sum(line.effect for line in shown)
        assert total == pytest.approx(change.after[row] - change.before[row], abs=1e-6)
        assert [abs(x.effect) for x in shown] == sorted(
            (abs(x.effect) for x in shown), reverse=True
        )
        assert {line.part for line in shown} == {"data", "model", "calibration"}
        assert len({(line.part, line.factor) for line in shown}) == len(shown)


def test_lines_state_the_value_now_and_before() -> None:
    bundle = small_bundle("churn")
    teller = ScoreChangeExplainer(
        split_score_change(bundle, bundle, BEFORE, AFTER), Explainer(bundle), BEFORE, AFTER
    )
    row = next(i for i in range(12) if BEFORE["visits_90d"][i].as_py() == 0
               and AFTER["visits_90d"][i].as_py() == 1)  # fmt: skip
    english = {line.factor: line.text for line in teller.lines(row)}
    chinese = {line.factor: line.text for line in teller.lines(row, "zh")}
    assert english["days_since_visit"].endswith("points churn risk")
    assert "(before: no sales visit so far)" in english["days_since_visit"]
    assert "（之前：至今没有销售拜访）：流失风险" in chinese["days_since_visit"]
    assert {line.part for line in teller.lines(row)} == {"data"}


def test_a_column_of_the_old_model_only_is_shown_by_its_name() -> None:
    old, new = small_bundle("value"), small_bundle("churn")
    change = split_score_change(old, old, BEFORE, AFTER)
    shown = ScoreChangeExplainer(change, Explainer(new), BEFORE, AFTER).lines(0)
    assert any(line.text.startswith("revenue_all: ") for line in shown)
    assert any("usual spending" in line.text for line in shown)
