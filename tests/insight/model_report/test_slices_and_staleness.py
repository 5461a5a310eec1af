"""The sections on customer groups and on model ageing."""

from dataclasses import replace

import pytest

from insight.model_report.holdout_section import evaluate_on_holdout
from insight.model_report.slices_and_staleness import LISTED_GROUPS, ageing_section, slice_section
from insight.model_report.target_section import target_section
from insight.report_facts import load_report_facts
from models.evaluation.bootstrap import Interval
from models.validation.slice_metrics import Slice, Slices
from models.validation.staleness import ModelAge, Staleness
from models.validation.validation_checks import ValidationChecks


def one(value, gain, worse=1.0, predicted=0.25):
    spread = Interval(gain, gain - 0.1, gain + 0.1)
    level = Interval(0.8, 0.7, 0.9)
    return Slice("crm_plan", value, 1250, 1250, level, level, spread, worse, 0.1, predicted, 0.5)


def slices(*judged, measure="roc_auc", small=("plan: far (3)",)):
    return Slices(measure, "rule", judged, small, ())


def test_the_worst_groups_come_first():
    found = slice_section("churn", slices(one("b", 0.2), one("a", -0.3, 0.01), one("c", 0.05)))
    assert [(line.name, line.verdict) for line in found.rows] == [
        ("plan: a", "worse"), ("plan: c", "no clear difference"), ("plan: b", "better"),
    ]  # fmt: skip
    line = found.rows[0]
    assert (line.rows, line.model, line.gain, line.predicted) == (
        "1,250",
        "0.800",
        "−0.300",
        "25.0%",
    )
    assert found.summary == (
        "Worst for plan: a, not better than the rule. Significantly worse than the baseline rule: "
        "plan: a. Groups with too few rows: 1."
    )
    assert len(found.plots) == 1


def test_larger_errors_with_a_closer_mean_have_their_own_verdict():
    odd = replace(one("a", -0.3, 0.01), nearer=True)
    found = slice_section("value", slices(odd, measure="mae"))
    assert found.rows[0].verdict == "larger errors, closer mean"
    assert "In 1 its errors are larger, but its mean is closer to the actual mean." in found.summary


def test_the_table_lists_the_worst_groups():
    found = slice_section("churn", slices(*(one(f"p{i}", 0.1) for i in range(LISTED_GROUPS + 3))))
    assert len(found.rows) == LISTED_GROUPS
    assert f"in any of {LISTED_GROUPS + 3} groups" in found.summary


@pytest.mark.parametrize(
    ("target", "measure", "predicted", "shown"),
    [
        ("value", "mae", 1234.5, "1,234"),
        ("nps", "multiclass_log_loss", 0.305, "30.5"),
        ("satisfaction", "multiclass_log_loss", 72.55, "72.5"),
    ],
)
def test_means_are_on_the_scale_of_the_target(target, measure, predicted, shown):
    found = slice_section(target, slices(one("b", 0.2, predicted=predicted), measure=measure))
    assert found.rows[0].predicted == shown


def test_without_a_large_group():
    found = slice_section("churn", slices())
    assert found.summary == "No group has enough rows to be evaluated."
    assert (found.rows, found.plots) == ([], [])


def ages(*months_and_losses):
    return tuple(
        ModelAge(m, 100, Interval(0.8 - x, 0.7, 0.9), Interval(x, x - 0.02, x + 0.02), 1 - x)
        for m, x in months_and_losses
    )


@pytest.mark.parametrize(
    ("staleness", "summary", "advice"),
    [
        (
            ages((0, 0.0), (1, 0.0), (3, 0.1), (6, 0.2)),
            "By age, a model is as good as a fresh model for a month, worse from month 3 on.",
            "Retrain every month. "
            "A model that is 6 months old keeps 80.0% of the lead over the baseline rule.",
        ),
        (
            ages((0, 0.0), (1, 0.0), (3, 0.0)),
            "By age, a model is as good as a fresh model for 3 months and more, within the noise.",
            "Retrain at least every 3 months. "
            "A model that is 3 months old keeps 100% of the lead over the baseline rule.",
        ),
        (ages((0, 0.0)), "The history is too short to train an older model.", ""),
    ],
)
def test_ageing_gives_a_retraining_interval(world, staleness, summary, advice):
    company, workspace = world()
    assert ageing_section("churn", company, workspace) is None
    looked = ValidationChecks((), slices(), Staleness("roc_auc", 0.5, staleness))
    looked.write(workspace.cards(company.name) / "churn.json")
    found = ageing_section("churn", company, workspace)
    assert (found.summary, found.advice, len(found.plots)) == (summary, advice, int(bool(advice)))


def test_an_old_model_that_is_worse_than_the_rule_keeps_no_lead(world):
    company, workspace = world()
    looked = ValidationChecks(
        (), slices(), Staleness("roc_auc", 0.5, ages((0, 0.0), (1, 2.0), (3, 2.0)))
    )
    looked.write(workspace.cards(company.name) / "churn.json")
    found = ageing_section("churn", company, workspace)
    assert (
        found.advice
        == "Retrain every month. A model that is 3 months old is not better than the baseline rule."
    )


def test_a_damaged_record_does_not_stop_the_report(world):
    company, workspace = world()
    path = workspace.cards(company.name) / "churn.json"
    path.parent.mkdir()
    path.write_text("{", encoding="utf-8")
    found = ageing_section("churn", company, workspace)
    assert "churn.json cannot be read" in found.summary
    assert found.plots == []


@pytest.fixture
def facts(trained_company, monkeypatch):
    """A trained company; drawing its plots takes longer than the rest, and other tests do it."""
    monkeypatch.setattr("insight.model_report.holdout_section.draw_all", lambda *_, **__: {})
    return load_report_facts(*trained_company)


def test_a_trained_company_has_both_and_warnings_about_small_data_are_notes(
    facts, trained_company, monkeypatch
):
    found = evaluate_on_holdout(facts.bundles["churn"], *trained_company)
    few = "340 labelled customers to learn from are few"
    monkeypatch.setattr(
        "insight.model_report.target_section.evaluate_on_holdout",
        lambda *_: replace(found, warnings=(few,)),
    )
    section, _ = target_section("churn", facts)
    assert f"{few}." in section.notes
    assert section.ageing.plots
    assert section.slices.summary
