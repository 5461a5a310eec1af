"""Small groups are hidden, and with a single one so is the next, by hand and for any sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.nonresponse.group_estimates import suppress_small_groups


@pytest.mark.parametrize(
    ("answered", "hidden"),
    [
        ([30, 40, 50], [False, False, False]),
        ([30, 5, 50, 40], [True, True, False, False]),  # 5 would follow from the total
        ([30, 12, 50, 15], [False, True, False, True]),  # 27 together are not few
        ([30, 4, 50, 3], [True, True, False, True]),  # 7 together are
        ([30, 0, 50], [False, True, False]),  # nobody's answer follows
        ([5], [True]),
        ([], []),
    ],
)
def test_hidden_groups_by_hand(answered: list[int], hidden: list[bool]) -> None:
    assert suppress_small_groups(answered, 20).tolist() == hidden


@given(st.lists(st.integers(0, 60), max_size=12), st.integers(2, 30))
def test_what_follows_from_the_total_is_never_few(answered: list[int], fewest: int) -> None:
    hidden = suppress_small_groups(answered, fewest)
    shown = [n for n, out in zip(answered, hidden, strict=True) if not out]
    left = sum(answered) - sum(shown)
    assert all(n >= fewest for n in shown)
    assert left == 0 or left >= fewest or not shown
