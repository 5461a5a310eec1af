"""Members of a population: both ends belong, a missing value does not."""

import pyarrow as pa
import pytest

from models.targets.population import Condition, members

TABLE = pa.table({"days": [float("nan"), 0.0, 13.9, 14.0, 14.1, -1.0]})


@pytest.mark.parametrize(
    ("condition", "inside"),
    [
        (None, [1, 1, 1, 1, 1, 1]),
        (Condition("days"), [0, 1, 1, 1, 1, 1]),
        (Condition("days", at_least=0), [0, 1, 1, 1, 1, 0]),
        (Condition("days", at_most=14), [0, 1, 1, 1, 0, 1]),
        (Condition("days", at_least=0, at_most=14), [0, 1, 1, 1, 0, 0]),
    ],
)
def test_members(condition: Condition | None, inside: list[int]) -> None:
    assert members(TABLE, condition).tolist() == [bool(i) for i in inside]
