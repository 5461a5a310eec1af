"""Tables of the notebooks have headings in words and rounded numbers."""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.append(str(Path(__file__).parents[2] / "notebooks"))
from readable_tables import headed, rounded

TABLE = pd.DataFrame({"value_expected": [1.0], "value_segment": ["top"]}, index=["A1"])


def test_columns_are_chosen_and_named_in_words() -> None:
    made = headed(TABLE, {"value_segment": "segment", "nps_class": "NPS"}, "customer")
    assert made.to_dict() == {"segment": {"A1": "top"}}
    assert made.index.name == "customer"


def test_a_table_without_any_of_the_columns_is_refused() -> None:
    with pytest.raises(ValueError, match=r"none of \['nps_class'\]; it has \['value_expected'"):
        headed(TABLE, {"nps_class": "NPS"})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, "0.123"), (-4.567, "-4.57"), (78.91, "78.9"), (2019.0, "2019"), (0.0, "0"),
        (12345.6, "12,346"), (float("nan"), ""), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_numbers_are_rounded(value: float, text: str) -> None:
    assert rounded(value) == text
