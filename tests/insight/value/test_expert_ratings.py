"""Expert ratings: reading, validation, and correction for leniency."""

from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from features.errors import DataRefused
from insight.value.expert_ratings import Experts, combine_ratings, measure_agreement, read_ratings

SETTINGS = Experts(file="ratings.csv")
HEAD = "customer_id,rater,item,score\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "ratings.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_leniency_is_removed(tmp_path: Path) -> None:
    lines = [
        f"C{i},{who},customer_credit,{i + more}\n"
        for i in (1, 2, 3)
        for who, more in (("x", 1), ("y", 0))
    ]
    lines += [
        "C1,x,customer_credit,2\n",
        "C2,y,market_coverage,5\n",
    ]  # the first repeats a rating: the later line counts
    ratings = read_ratings(written(tmp_path, HEAD + "".join(lines)), SETTINGS)
    assert len(ratings) == 7
    level, lenient = combine_ratings(ratings)
    assert level["customer_credit"].tolist() == pytest.approx([1.5, 2.5, 3.5])
    assert level["market_coverage"].dropna().to_dict() == {"C2": 5.0}
    assert lenient["customer_credit"].to_dict() == pytest.approx({"x": 0.5, "y": -0.5})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("customer_id,rater,item\n", "lacks score; it has customer_id, rater, item"),
        (HEAD + "C1,x,mood,3\n", "rates mood; the items are customer_credit"),
        (
            HEAD + "C1,x,customer_credit,3\nC2,x,customer_credit,7\n",
            "1 scores off .* 1 to 5; .* line 3",
        ),
        (HEAD + "C1,x,customer_credit,good\n", "'good' in line 2"),
        (HEAD + "C1,x,customer_credit,\n", "'' in line 2"),
        (HEAD + "C1,x,customer_credit,3\nC1,,customer_credit,3\n", "1 lines of .* lack .* line 3"),
        (HEAD + ",x,customer_credit,3\n", "lack a customer_id"),
        (HEAD + "C1,x,,3\n", "lack a customer_id or rater or item; the first is line 2"),
        ("", "should be CSV in UTF-8 with the columns customer_id, rater, item, score"),
    ],
)
def test_invalid_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataRefused, match=words):
        read_ratings(written(tmp_path, text), SETTINGS)


def test_ids_are_strings_and_the_file_is_utf_8(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD + "007,王,customer_credit,4\nNA,王,customer_credit,2\n")
    level, _ = combine_ratings(read_ratings(file, SETTINGS))
    assert level["customer_credit"].to_dict() == {"007": 4.0, "NA": 2.0}
    file.write_text(HEAD + "007,王,customer_credit,4\n", encoding="gbk")
    with pytest.raises(DataRefused, match="should be CSV in UTF-8"):
        read_ratings(file, SETTINGS)


def test_a_missing_file_and_an_empty_scale_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match=r"no file ratings\.csv"):
        read_ratings(tmp_path / "ratings.csv", SETTINGS)
    with pytest.raises(ValidationError, match="low should be below high"):
        Experts(file="x.csv", low=5, high=1)


#: Shrout and Fleiss (1979), table 2: six targets, four judges.
SHROUT = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def rows(item: str, table: list[list[int | None]]) -> list[tuple[str, str, str, float]]:
    """Ratings of customers (rows) by raters (columns); None is no rating."""
    return [
        (f"C{c}", f"r{r}", item, float(score))
        for c, scores in enumerate(table)
        for r, score in enumerate(scores)
        if score is not None
    ]


def test_agreement_is_measured_by_item() -> None:
    gaps: list[list[int | None]] = [
        [1, None, 1],
        [2, 2, None],
        [None, 3, 3],
        [4, None, 5],
        [5, 4, None],
    ]
    given = pd.DataFrame(
        [
            *rows("customer_credit", SHROUT),  # type: ignore[arg-type]
            *rows("market_coverage", gaps),
            *rows("internal_management", [[1], [2], [3]]),  # a single rater
        ],
        columns=["customer_id", "rater", "item", "score"],
    )
    credit, coverage = measure_agreement(given)
    assert (credit.item, credit.raters) == ("customer_credit", 4)
    assert credit.icc is not None
    assert (credit.icc.value, credit.icc.low, credit.icc.high) == pytest.approx(
        (0.290, 0.019, 0.761), abs=0.002
    )
    assert (coverage.item, coverage.raters, coverage.icc) == ("market_coverage", 3, None)
    for found, table in ((credit, SHROUT), (coverage, gaps)):
        expected = krippendorff.alpha(
            reliability_data=np.array(table, dtype=float).T, level_of_measurement="ordinal"
        )
        assert found.alpha is not None
        assert found.alpha.value == pytest.approx(expected)
        assert found.alpha.low <= found.alpha.value <= found.alpha.high
