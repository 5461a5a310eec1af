"""Small data: refused in plain words below one limit, warned about below a higher one."""

import numpy as np
import pytest

from features.errors import DataRefused
from models.targets.registry import TARGETS
from models.training.minimum_data import LIMITS, MIN_CLASS_CUSTOMERS, check_minimum_data
from models.training_set.splits import Split, instant

LEARN, JUDGE = LIMITS["refit"], LIMITS["test"]


def parts(learn, judge):
    """Labels and customers of the two parts; each is (label, customer) or a list of labels."""
    labels = [np.asarray(p, float) for p in (learn, judge)]
    first = np.arange(len(labels[0]))
    customer = np.concatenate([first, len(first) + np.arange(len(labels[1]))])
    refit = np.arange(len(customer)) < len(first)
    nobody = np.zeros(len(customer), bool)
    split = Split(refit, nobody, ~refit, refit, instant(0), instant(0))
    return np.concatenate(labels), customer, split


def people(count, rare, label=1.0, other=0.0):
    return [label] * rare + [other] * (count - rare)


PLENTY = people(LEARN.better, LEARN.better_rare), people(JUDGE.better, JUDGE.better_rare)


def test_plenty_is_taken_without_a_word():
    assert check_minimum_data(TARGETS["churn"], *parts(*PLENTY)) == []


@pytest.mark.parametrize(
    ("learn", "judge", "shown"),
    [
        (
            people(LEARN.least - 1, LEARN.least_rare),
            PLENTY[1],
            "99 labelled customers to learn from, 20 of them with the label 'leaves'",
        ),
        (people(LEARN.least, LEARN.least_rare - 1), PLENTY[1], "100 .* from, 19 of them"),
        (
            PLENTY[0],
            people(JUDGE.least - 1, JUDGE.least_rare),
            "29 .* to be evaluated on, 5 of them",
        ),
        (
            PLENTY[0],
            people(JUDGE.least, JUDGE.least_rare - 1),
            "30 .* to be evaluated on, 4 of them",
        ),
    ],
)
def test_too_little_data_is_refused_with_the_actual_and_the_needed_count(learn, judge, shown):
    with pytest.raises(DataRefused, match=shown) as refused:
        check_minimum_data(TARGETS["churn"], *parts(learn, judge))
    assert "are needed" in str(refused.value)
    assert "bring a longer history or more customers" in str(refused.value)


@pytest.mark.parametrize(
    ("learn", "judge", "shown"),
    [
        (people(LEARN.least, LEARN.least_rare), PLENTY[1], "100 labelled customers to learn from"),
        (people(LEARN.better, LEARN.better_rare - 1), PLENTY[1], "500 labelled customers"),
        (
            PLENTY[0],
            people(JUDGE.least, JUDGE.least_rare),
            "30 labelled customers to be evaluated on",
        ),
    ],
)
def test_little_data_gives_a_warning(learn, judge, shown):
    (warning,) = check_minimum_data(TARGETS["churn"], *parts(learn, judge))
    assert shown in warning
    assert "expect wide intervals" in warning


def test_the_rarer_label_may_be_either_one():
    with pytest.raises(DataRefused, match="19 of them with the label 'stays'"):
        check_minimum_data(TARGETS["churn"], *parts(people(500, 19, 0.0, 1.0), PLENTY[1]))


def test_the_same_customer_many_times_counts_once():
    label, _, split = parts(*PLENTY)
    customer = np.where(split.refit, np.arange(len(label)) % 50, 10_000 + np.arange(len(label)))
    with pytest.raises(DataRefused, match="50 labelled customers to learn from"):
        check_minimum_data(TARGETS["churn"], label, customer, split)


def test_values_need_customers_who_spend():
    with pytest.raises(DataRefused, match="19 of them with a value that is not zero"):
        check_minimum_data(TARGETS["value"], *parts(people(500, 19, 12.5), people(200, 30, -3.0)))


def test_a_rare_class_gives_a_warning_and_a_single_class_is_refused():
    many = [0.0] * (MIN_CLASS_CUSTOMERS - 1) + [1.0] * 300 + [2.0] * 300
    (warning,) = check_minimum_data(TARGETS["nps"], *parts(many, [1.0] * 100 + [2.0] * 100))
    assert warning == (
        "target nps: 19 customers with the label 'detractor': it will hardly ever be predicted"
    )
    with pytest.raises(DataRefused, match="0 of them with the label"):
        check_minimum_data(TARGETS["nps"], *parts([2.0] * 600, [2.0] * 200))
