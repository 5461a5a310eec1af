"""Levers set by hand: their ranges, the resulting score and its text."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definitions.levers import CONTACT, PUNCTUALITY, REPLY_TIME
from models.explain.counterfactuals import WhatIfModel, WhatIfResult, what_if_text
from models.explain.lever_effects import PLAUSIBLE
from models.explain.manual_what_if import LeverRefused, LeverSpan, ManualWhatIf
from models.explain.reasons import Explainer
from models.learners.out_of_distribution import TrainingSupport
from support.small_models import customers, small_bundle

TABLE = customers(seed=21)
ASKED = {t: WhatIfModel(Explainer(small_bundle(t)), TABLE) for t in ("churn", "satisfaction")}
SLIDERS = ManualWhatIf(ASKED, TABLE)
SPANS = [SLIDERS.spans(TABLE.slice(i, 1)) for i in range(200)]
MOVABLE = [i for i, spans in enumerate(SPANS) if len(spans) == 3]


def column(name: str) -> np.ndarray:
    return np.asarray(TABLE[name].to_numpy(), float)


def test_each_lever_is_available_to_some_customers_only() -> None:
    for lever in (REPLY_TIME, PUNCTUALITY, CONTACT):
        offered = [any(span.lever is lever for span in spans) for spans in SPANS]
        assert any(offered)
        assert not all(offered)


def test_a_range_goes_from_the_current_to_the_plausible_amount() -> None:
    worst = np.fmax(column("delivery_lateness_90d"), column("delivery_lateness_max_90d"))
    low = np.quantile(worst, PLAUSIBLE[0])
    high = np.floor(np.quantile(column("visits_90d"), PLAUSIBLE[1]))
    for place, spans in enumerate(SPANS):
        by_lever = {span.lever: span for span in spans}
        late = by_lever.get(PUNCTUALITY)
        assert (late is None) == (worst[place] <= low)
        assert late is None or (late.now, late.least, late.most) == (worst[place], low, late.now)
        visits = column("visits_90d")[place]
        contact = by_lever.get(CONTACT)
        assert (contact is None) == (visits >= high)
        assert contact is None or (contact.now, contact.least, contact.most) == (
            visits,
            visits,
            high,
        )
        assert (REPLY_TIME in by_lever) <= (not np.isnan(column("reply_hours_max_90d")[place]))


def test_a_lever_lists_the_targets_whose_trees_split_on_it() -> None:
    for lever, targets in SLIDERS.affected_targets.items():
        for target, asked in ASKED.items():
            gain = asked.bundle.estimator.importance()
            pull = next(p for p in SLIDERS.levers if p.lever is lever)
            assert (target in targets) == any(gain.get(c.name, 0) > 0 for c in pull.columns)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(MOVABLE), st.sampled_from(sorted(ASKED)), st.floats(0, 1), st.floats(0, 1))
def test_the_score_after_is_the_models_score_of_the_changed_row(
    place: int, target: str, first: float, second: float
) -> None:
    shares = {REPLY_TIME.name: first, PUNCTUALITY.name: second}
    amounts = {
        s.lever.name: s.least + shares[s.lever.name] * (s.most - s.least)
        for s in SPANS[place]
        if s.lever.name in shares
    }
    row, asked = TABLE.slice(place, 1), ASKED[target]
    found = SLIDERS.apply(target, row, amounts)
    moved = row
    for name, most in [
        ("reply_hours_90d", amounts[REPLY_TIME.name]),
        ("reply_hours_365d", amounts[REPLY_TIME.name]),
        ("reply_hours_max_90d", amounts[REPLY_TIME.name]),
        ("delivery_lateness_90d", amounts[PUNCTUALITY.name]),
        ("delivery_lateness_max_90d", amounts[PUNCTUALITY.name]),
    ]:
        capped = np.minimum(moved[name].to_numpy(), most)
        moved = moved.set_column(moved.schema.get_field_index(name), name, pa.array(capped))
    if amounts[PUNCTUALITY.name] <= 1e-9 and found.moves:
        name = "late_deliveries_90d"
        moved = moved.set_column(moved.schema.get_field_index(name), name, pa.array([0.0]))
    score = asked.scale.of_calibrated(asked.bundle.calibrated(moved))[0]
    assert found.score_then == pytest.approx(score, abs=1e-9)
    assert (found.goal, found.reached) == (None, None)


def test_an_unchanged_lever_changes_nothing() -> None:
    place = MOVABLE[0]
    amounts = {span.lever.name: span.now for span in SPANS[place]}
    found = SLIDERS.apply("churn", TABLE.slice(place, 1), amounts)
    assert (found.moves, found.score_then) == ((), found.score)


def test_an_amount_rounded_out_of_the_range_becomes_its_end() -> None:
    place = MOVABLE[0]
    (span,) = (s for s in SPANS[place] if s.lever is PUNCTUALITY)
    row = TABLE.slice(place, 1)
    (beyond,) = SLIDERS.apply("churn", row, {PUNCTUALITY.name: span.least - 1e-12}).moves
    assert beyond.end == span.least


@pytest.mark.parametrize("far", [-1.0, 1.0])
def test_an_amount_out_of_range_is_refused_with_the_range(far: float) -> None:
    span: LeverSpan = next(s for s in SPANS[MOVABLE[0]] if s.lever is CONTACT)
    amount = span.least + far if far < 0 else span.most + far
    with pytest.raises(LeverRefused, match=r"contact frequency can be set from \d+ to \d+ visits"):
        SLIDERS.apply("churn", TABLE.slice(MOVABLE[0], 1), {CONTACT.name: amount})


def test_an_unavailable_lever_is_refused_without_repeating_its_name() -> None:
    with pytest.raises(LeverRefused, match="1 of 2 levers are not available") as refused:
        SLIDERS.apply("churn", TABLE.slice(MOVABLE[0], 1), {"bribes": 3.0, CONTACT.name: 1.0})
    assert "bribes" not in str(refused.value)
    assert REPLY_TIME.name in str(refused.value)


def test_texts_with_and_without_a_change_and_out_of_distribution() -> None:
    place = MOVABLE[0]
    amounts = {s.lever.name: s.least for s in SPANS[place] if s.lever is PUNCTUALITY}
    moves = SLIDERS.apply("churn", TABLE.slice(place, 1), amounts).moves

    def said(then: float, abstain: bool = False) -> tuple[str, str]:
        found = WhatIfResult("A", None, None, 40.0, then, moves, abstain)
        return what_if_text(found, "churn", "", "en"), what_if_text(found, "churn", "", "zh")

    en, zh = said(22.0)
    assert "the model would say 22% churn risk instead of 40%. This is what" in en
    assert "流失风险将是22%，而不是40%" in zh
    en, zh = said(40.0)
    assert en.startswith("Even if ")
    assert "would still say 40% churn risk" in en
    assert "流失风险仍是40%" in zh
    en, zh = said(22.0, abstain=True)
    assert en.endswith(
        "not a promise. The model has not seen customers like this one: treat the result as a guess."
    )
    assert zh.endswith("模型没有见过类似的客户，结果仅供参考。")
    still = WhatIfResult("A", None, None, 40.0, 40.0, ())
    assert what_if_text(still, "churn", "", "en") == "The model says 40% churn risk."
    assert what_if_text(still, "churn", "", "zh") == "模型给出的流失风险为40%。"


def test_an_out_of_distribution_customer_sets_abstain() -> None:
    bundle = small_bundle("churn")
    support = TrainingSupport.fit(bundle.estimator, TABLE).to_dict()
    bundle = replace(bundle, manifest=replace(bundle.manifest, support=support))
    asked = WhatIfModel(Explainer(bundle), TABLE)
    sliders = ManualWhatIf({"churn": asked}, TABLE)
    row = TABLE.slice(MOVABLE[0], 1)
    strange = row
    for name in ("days_since_order", "orders_90d", "tenure_days", "revenue_90d", "revenue_365d"):
        far = pa.array([1e6])
        strange = strange.set_column(strange.schema.get_field_index(name), name, far)
    amounts = {PUNCTUALITY.name: next(s.least for s in SPANS[MOVABLE[0]] if s.lever is PUNCTUALITY)}
    assert not sliders.apply("churn", row, amounts).abstain
    assert sliders.apply("churn", strange, amounts).abstain
    assert asked.smallest_change(strange, 1.0).abstain
