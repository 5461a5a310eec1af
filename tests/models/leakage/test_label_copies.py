"""Columns of a snapshot that are the label in other words are found; honest ones are not."""

import numpy as np
import pyarrow as pa

from models.leakage.label_copies import find_label_copies

ROWS = 2000
RNG = np.random.default_rng(3)
LEFT = (RNG.random(ROWS) < 0.25).astype(float)
NUMBER = np.arange(ROWS)
#: An honest column: long contracts are seldom left.
CONTRACT = np.where(RNG.random(ROWS) < 0.2 + 0.5 * LEFT, "monthly", "yearly")


def found(**columns) -> list[str]:
    table = pa.table({"contract": CONTRACT, **columns})
    return [suspect.column for suspect in find_label_copies(table, LEFT, NUMBER)]


def test_an_honest_table_has_none():
    tenure = RNG.exponential(20 - 8 * LEFT)
    noise = pa.array(RNG.choice(["a", "b", "c"], ROWS))
    missing = np.where(RNG.random(ROWS) < 0.1, np.nan, tenure)
    assert found(tenure=tenure, noise=noise, missing=missing) == []


def test_a_reason_that_only_leavers_have_is_found():
    reason = [RNG.choice(["price", "service"]) if left else None for left in LEFT]
    assert found(reason=pa.array(reason, pa.string())) == ["reason"]


def test_a_reason_that_one_leaver_in_three_has_is_found_by_being_filled_in():
    asked = RNG.random(ROWS) < 0.33
    reason = [
        str(i) if left and said else None for i, left, said in zip(NUMBER, LEFT, asked, strict=True)
    ]
    (suspect,) = find_label_copies(
        pa.table({"reason": pa.array(reason, pa.string())}), LEFT, NUMBER
    )
    count = int((asked & (LEFT == 1)).sum())
    assert suspect.evidence.startswith(
        f"{count} of the {count} customers with a value left; of all others"
    )


def test_a_status_with_one_value_of_leavers_is_found():
    status = np.where(LEFT == 1, "closed", np.where(RNG.random(ROWS) < 0.5, "open", "new"))
    assert found(status=status) == ["status"]


def test_the_opposite_of_the_label_and_a_noisy_copy_are_found():
    flipped = np.where(RNG.random(ROWS) < 0.02, LEFT, 1 - LEFT)
    score = LEFT + RNG.normal(0, 0.4, ROWS)
    assert found(active=flipped, score=score) == ["active", "score"]


def test_a_refund_of_leavers_only_is_found_and_its_zeros_are_not_to_blame():
    refund = np.where((LEFT == 1) & (RNG.random(ROWS) < 0.4), RNG.uniform(1, 90, ROWS), 0.0)
    assert found(refund=refund) == ["refund"]


def test_a_group_that_nobody_leaves_is_honest():
    """Two-year contracts are hardly ever left: of three quarters of stayers, that is no surprise."""
    term = np.where((LEFT == 0) & (RNG.random(ROWS) < 0.3), "two years", "none")
    assert found(term=term) == []


def test_a_few_leavers_alike_are_honest():
    rare = np.full(ROWS, None, object)
    rare[np.flatnonzero(LEFT == 1)[:10]] = "moved abroad"
    assert found(rare=pa.array(rare.tolist(), pa.string())) == []
