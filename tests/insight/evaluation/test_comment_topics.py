"""Topics of comments: counts, trend, and examples that name nobody."""

import pytest

from features.errors import DataRefused
from insight.evaluation.comment_topics import read_comment_topics, share_difference
from support.survey_builders import on, survey_answer, write_history

LATE, CHEAP = "The delivery was late again.", "A fair price for good work."


def comments_of(people, month, text, year=2025):
    return [survey_answer(c, on(month, 3, year), 4.0, comment=text) for c in people]


PEOPLE = [f"C{n}" for n in range(40)]


def topics(folder, surveys, start="2024-01-01T00:00:00+00:00", **tables):
    company, workspace, _ = write_history(folder, start=start, surveys=surveys, **tables)
    return read_comment_topics(company, workspace)


def test_topics_are_compared_with_the_same_months_a_year_ago(tmp_path):
    surveys = [
        *comments_of(PEOPLE[:30], 9, LATE), *comments_of(PEOPLE[30:], 9, CHEAP),
        *comments_of(PEOPLE[:20], 9, LATE, 2024), *comments_of(PEOPLE[20:], 9, CHEAP, 2024),
        *comments_of(PEOPLE, 3, CHEAP),
    ]  # fmt: skip
    (found,) = topics(tmp_path, surveys)  # ten comments on prices are too few
    assert (found.topic, found.comments, found.customers) == ("delivery", 30, 30)
    assert (found.share, found.year_ago) == (0.75, 0.5)
    assert found.change.value == pytest.approx(0.25)
    assert found.negative == 1.0
    assert found.examples == {"en": [LATE]}


def test_without_a_year_before_there_is_no_trend(tmp_path):
    (found,) = topics(tmp_path, comments_of(PEOPLE, 9, LATE))
    assert (found.year_ago, found.change) == (None, None)


def test_the_difference_of_two_shares():
    found = share_difference(0.75, 40, 0.5, 40)
    # the root of 0.75 x 0.25 / 40 + 0.5 x 0.5 / 40, times 1.96
    assert found.high - found.value == pytest.approx(0.2049, abs=1e-4)


@pytest.mark.parametrize(
    ("surveys", "start", "why"),
    [
        (comments_of(PEOPLE[:3], 9, LATE), "2024-01-01T00:00:00+00:00", "3 comments in the last 6"),
        (comments_of(PEOPLE, 9, LATE), "2025-10-01T00:00:00+00:00", "3 whole months of data"),
        ([survey_answer("A", on(9), 4.0)], "2024-01-01T00:00:00+00:00", "no table has comments"),
    ],
)
def test_too_few_comments_are_refused(tmp_path, surveys, start, why):
    with pytest.raises(DataRefused, match=why):
        topics(tmp_path, surveys, start)


def test_a_critical_and_another_example_of_each_language(tmp_path):
    kind = "The delivery was fast and good."
    found = topics(
        tmp_path, [*comments_of(PEOPLE[:15], 8, LATE), *comments_of(PEOPLE[15:], 9, kind)]
    )
    assert found[0].examples == {"en": [LATE, kind]}


def test_owners_of_customers_are_read_from_their_records(tmp_path):
    """Forty customers thank the same account owner for the delivery."""
    customers = [{"customer_id": c, "valid_from": on(1), "account_owner": "Bob"} for c in PEOPLE]
    thanks = "bob made the delivery fast."
    (found,) = topics(tmp_path, comments_of(PEOPLE, 9, thanks), customers=customers)
    assert found.examples == {}
