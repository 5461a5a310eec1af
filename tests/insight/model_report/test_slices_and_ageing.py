"""Groups and ageing in the report's words."""

from dataclasses import replace

import pytest

from insight.model_report.holdout_section import weigh
from insight.model_report.slices_and_ageing import MOST, ageing_told, groups_told
from insight.model_report.target_section import section
from insight.report_facts import load_report_facts
from models.evaluation.bootstrap import Interval
from models.validation.slice_metrics import Slice, Slices
from models.validation.staleness import ModelAge, Staleness
from models.validation.validation_checks import ValidationChecks
from support.trained_company import SAMPLE_TARGETS


def one(value, gain, worse=1.0, predicted=0.25):
    spread = Interval(gain, gain - 0.1, gain + 0.1)
    level = Interval(0.8, 0.7, 0.9)
    return Slice("crm_plan", value, 1250, 1250, level, level, spread, worse, 0.1, predicted, 0.5)


def slices(*judged, measure="roc_auc", small=("plan: far (3)",)):
    return Slices(measure, "rule", judged, small, ())


def test_the_worst_groups_stand_first_with_their_verdict():
    told = groups_told("churn", slices(one("b", 0.2), one("a", -0.3, 0.01), one("c", 0.05)))
    assert [(line.name, line.verdict) for line in told.lines] == [
        ("plan: a", "worse"), ("plan: c", "within the noise"), ("plan: b", "better"),
    ]  # fmt: skip
    line = told.lines[0]
    assert (line.rows, line.model, line.gain, line.predicted) == (
        "1,250",
        "0.800",
        "−0.300",
        "25.0 %",
    )
    assert told.told == (
        "Worst for plan: a, not better than the rule. Worse than the rule beyond chance: plan: a. "
        "1 more groups have too few rows to be judged apart."
    )
    assert len(told.drawn) == 1


def test_a_value_that_errs_more_and_is_right_on_average_is_told_so():
    odd = replace(one("a", -0.3, 0.01), nearer=True)
    told = groups_told("value", slices(odd, measure="mae"))
    assert told.lines[0].verdict == "larger errors, nearer on average"
    assert "In 1 it errs more than the rule and is nearer to the actual mean." in told.told


def test_only_the_worst_stand_in_the_table():
    told = groups_told("churn", slices(*(one(f"p{i}", 0.1) for i in range(MOST + 3))))
    assert len(told.lines) == MOST
    assert f"In none of {MOST + 3} groups" in told.told


@pytest.mark.parametrize(
    ("target", "measure", "predicted", "shown"),
    [
        ("value", "mae", 1234.5, "1,234"),
        ("nps", "multiclass_log_loss", 0.305, "30.5"),
        ("satisfaction", "multiclass_log_loss", 72.55, "72.5"),
    ],
)
def test_means_are_on_the_scale_of_the_target(target, measure, predicted, shown):
    told = groups_told(target, slices(one("b", 0.2, predicted=predicted), measure=measure))
    assert told.lines[0].predicted == shown


def test_without_a_large_group_that_is_said():
    told = groups_told("churn", slices())
    assert told.told == "No group is large enough to be judged apart."
    assert (told.lines, told.drawn) == ([], [])


def ages(*months_and_losses):
    return tuple(
        ModelAge(m, 100, Interval(0.8 - x, 0.7, 0.9), Interval(x, x - 0.02, x + 0.02), 1 - x)
        for m, x in months_and_losses
    )


@pytest.mark.parametrize(
    ("found", "told", "advice"),
    [
        (
            ages((0, 0.0), (1, 0.0), (3, 0.1), (6, 0.2)),
            "By its age a model is as good as a fresh model for a month, worse from month 3 on.",
            "Retrain every month. A model of 6 months keeps 80.0 % of the lead over the rule.",
        ),
        (
            ages((0, 0.0), (1, 0.0), (3, 0.0)),
            "By its age a model is as good as a fresh model for 3 months and more, within the noise.",
            "Retrain at least every 3 months. "
            "A model of 3 months keeps 100 % of the lead over the rule.",
        ),
        (ages((0, 0.0)), "The history is too short to train an older model.", ""),
    ],
)
def test_ageing_says_how_often_to_retrain(world, found, told, advice):
    company, workspace = world()
    assert ageing_told("churn", company, workspace) is None
    looked = ValidationChecks((), slices(), Staleness("roc_auc", 0.5, found))
    looked.write(workspace.cards(company.name) / "churn.json")
    said = ageing_told("churn", company, workspace)
    assert (said.told, said.advice, len(said.drawn)) == (told, advice, int(bool(advice)))


def test_an_old_model_that_is_worse_than_the_rule_keeps_no_lead(world):
    company, workspace = world()
    looked = ValidationChecks((), slices(), Staleness("roc_auc", 0.5, ages((0, 0.0), (1, 2.0), (3, 2.0))))
    looked.write(workspace.cards(company.name) / "churn.json")
    said = ageing_told("churn", company, workspace)
    assert said.advice == "Retrain every month. A model of 3 months is not better than the rule."


def test_a_broken_record_is_told_and_does_not_stop_the_report(world):
    company, workspace = world()
    path = workspace.cards(company.name) / "churn.json"
    path.parent.mkdir()
    path.write_text("{", encoding="utf-8")
    said = ageing_told("churn", company, workspace)
    assert "churn.json cannot be read" in said.told
    assert said.drawn == []


def test_a_trained_company_has_both(trained_company):
    facts = load_report_facts(*trained_company)
    for target in SAMPLE_TARGETS:
        told, _ = section(target, facts)
        assert told.ageing.drawn, target
        assert told.groups.told, target


def test_what_warns_of_small_data_is_told(trained_company, monkeypatch):
    facts = load_report_facts(*trained_company)
    found = weigh(facts.bundles["churn"], *trained_company)
    few = "340 labelled customers to learn from are few"
    monkeypatch.setattr(
        "insight.model_report.target_section.weigh", lambda *_: replace(found, warnings=(few,))
    )
    told, _ = section("churn", facts)
    assert f"{few}." in told.notes
