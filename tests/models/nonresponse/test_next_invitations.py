"""Next invitations: priority, balance across segments, rest period and exclusion counts."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.nonresponse.next_invitations import (
    InvitationCandidates,
    response_share,
    select_invitations,
)

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)


def build_candidates(
    segment: str,
    spread: list[float],
    days: list[float | None] | None = None,
    gone: tuple[int, ...] = (),
) -> InvitationCandidates:
    """One customer per letter of `segment`; `days` since the last invitation, None for never."""
    count = len(segment)
    since = days or [None] * count
    asked = [pd.NaT if d is None else pd.Timestamp(AS_OF) - pd.Timedelta(days=d) for d in since]
    current = np.ones(count, bool)
    current[list(gone)] = False
    return InvitationCandidates(
        ids=np.array([f"C{i}" for i in range(count)], object),
        segment=np.array(list(segment), object),
        propensity=np.full(count, 0.3),
        spread=np.array(spread),
        responded=np.zeros(count, bool),
        last_invited=pd.Series(pd.to_datetime(asked, utc=True)),
        current=current,
    )


def test_the_most_uncertain_come_first() -> None:
    found = select_invitations(build_candidates("aaa", [1.0, 3.0, 2.0]), AS_OF, 90, 2)
    assert found.rows["customer_id"].tolist() == ["C1", "C2"]
    assert found.rows["rank"].tolist() == [1, 2]
    assert found.excluded["beyond the length of the list"] == 1
    assert found.rows.columns.tolist() == [
        "customer_id", "rank", "segment", "chance_of_answer", "uncertainty", "last_asked", "why",
        "why_zh",
    ]  # fmt: skip


def test_customers_within_the_rest_period_are_excluded() -> None:
    found = select_invitations(
        build_candidates("aaaa", [1.0] * 4, [89.9, 90.0, None, 0.0]), AS_OF, 90, 10
    )
    assert sorted(found.rows["customer_id"]) == ["C1", "C2"]
    assert found.excluded == {
        "no customer any more": 0,
        "asked within 90 days": 2,
        "beyond the length of the list": 0,
    }
    never = found.rows.set_index("customer_id")
    assert pd.isna(never.loc["C2", "last_asked"])
    assert never.loc["C1", "last_asked"] == "2026-04-02"
    assert never.loc["C2", "why"].startswith("never asked")
    assert never.loc["C2", "why_zh"].startswith("从未被询问")


def test_former_customers_are_excluded() -> None:
    found = select_invitations(build_candidates("aaa", [9.0, 1.0, 1.0], gone=(0,)), AS_OF, 90, 10)
    assert "C0" not in set(found.rows["customer_id"])
    assert found.excluded["no customer any more"] == 1


@settings(deadline=None)
@given(st.text("abc", min_size=1, max_size=60), st.integers(1, 60), st.integers(0, 99))
def test_every_prefix_of_the_list_is_balanced(segment: str, size: int, seed: int) -> None:
    spread = np.random.default_rng(seed).uniform(1, 2, len(segment)).tolist()
    rows = select_invitations(build_candidates(segment, spread), AS_OF, 90, size).rows
    assert len(rows) == min(size, len(segment))
    shares = {s: segment.count(s) / len(segment) for s in set(segment)}
    for taken in range(1, len(rows) + 1):
        counts = rows["segment"].head(taken).value_counts()
        for name, share in shares.items():
            # Sainte-Lague with three segments deviates from the quota by at most 1.5.
            assert abs(counts.get(name, 0) - share * taken) <= 1.5


def test_groups_with_few_respondents_have_priority() -> None:
    some = build_candidates("a" * 20, [5.0] * 20)
    propensity = np.repeat([0.1, 0.9], 10)
    responded = np.repeat([False, True], 10)
    both = InvitationCandidates(
        some.ids, some.segment, propensity, some.spread, responded, some.last_invited, some.current
    )
    share = response_share(propensity, responded)
    assert share[0] == pytest.approx(1 / 4)  # groups of two: (0 + 1) / (2 + 2)
    assert share[-1] == pytest.approx(3 / 4)
    # 0.1 / 0.25 for the first, 0.9 / 0.75 for the last: a nine times higher propensity still wins.
    assert select_invitations(both, AS_OF, 90, 1).rows["customer_id"][0] == "C10"
    rare = InvitationCandidates(
        some.ids, some.segment, np.repeat([0.4, 0.5], 10), some.spread, responded, some.last_invited,
        some.current,
    )  # fmt: skip
    assert select_invitations(rare, AS_OF, 90, 1).rows["customer_id"][0] == "C0"


def test_without_candidates_the_list_is_empty() -> None:
    found = select_invitations(build_candidates("aa", [1.0, 1.0], [1.0, 1.0]), AS_OF, 90, 10)
    assert found.rows.empty
    assert found.excluded["asked within 90 days"] == 2
