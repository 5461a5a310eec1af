"""Survey scales with the best answer at the lower end, read as the mapping says."""

import pytest

from features.data_quality.check_tables import DataQualityReport
from features.errors import DataRefused
from features.row_audit import read_row_audit

MARKS = """customer_id,sent_at,answered_at,instrument,score,scale_low,scale_high,comment
A,2024-02-01 09:00:00,2024-02-02 10:00:00,csat,1,5,1,fine
A,2024-02-08 09:00:00,2024-02-09 10:00:00,csat,4,5,1,poor
B,2024-02-01 09:00:00,,csat,,5,1,
B,2024-02-15 09:00:00,2024-02-16 09:00:00,nps,9,0,10,
"""


def test_marks_from_5_to_1_are_turned_around_and_counted(shop):
    shop.text["surveys"] = MARKS
    shop.run()
    rows = shop.stored("surveys").to_pylist()
    assert [(r["score"], r["scale_low"], r["scale_high"]) for r in by_customer(rows)] == [
        (5.0, 1.0, 5.0), (2.0, 1.0, 5.0), (None, 1.0, 5.0), (9.0, 0.0, 10.0),
    ]  # fmt: skip
    audit = read_row_audit(shop.workspace, "shop")
    assert audit is not None
    turned = [line for line in audit.lines if "turned around" in line.rule]
    assert [(line.rule, line.rows) for line in turned] == [
        ("csat turned around, 5 (worst) to 1 (best): score = 6 - score", 3)
    ]
    report = DataQualityReport.read(shop.workspace, "shop")
    assert report is not None
    (found,) = [f for f in report.findings if "turned around" in f.says]
    assert (found.severity, found.rows, found.total) == ("advice", 3, 4)
    assert found.remedy.endswith("if it is the worst, swap scale_low and scale_high")


def by_customer(rows):
    return sorted(rows, key=lambda r: (r["customer_id"], r["sent_at"]))


def test_swapped_columns_are_mended_by_the_remedy_of_the_finding(shop):
    shop.text["surveys"] = MARKS
    shop.columns["surveys"] = {"scale_low": "scale_high", "scale_high": "scale_low"}
    shop.text["surveys"] = MARKS.replace("nps,9,0,10", "nps,9,10,0")
    shop.run()
    rows = by_customer(shop.stored("surveys").to_pylist())
    assert [r["score"] for r in rows] == [1.0, 4.0, None, 9.0]


def test_an_expectation_is_turned_with_the_score(shop):
    shop.text["surveys"] = MARKS
    shop.columns["surveys"] = {"expectation": "case when instrument = 'csat' then 2 end"}
    shop.run()
    assert shop.stored("surveys")["expectation"].to_pylist() == [4.0, 4.0, 4.0, None]


def test_a_turned_answer_outside_its_scale_is_still_refused(shop):
    shop.text["surveys"] = MARKS.replace("csat,4,5,1", "csat,7,5,1")
    with pytest.raises(DataRefused, match="score outside its scale in 1 of 4 rows"):
        shop.run()


@pytest.mark.parametrize("ends", [("3", "3"), ("1", "inf"), ("-inf", "5")])
def test_a_scale_without_extent_is_refused_with_the_remedy(shop, ends):
    shop.columns["surveys"] = {
        "scale_low": f"'{ends[0]}'::double", "scale_high": f"'{ends[1]}'::double"
    }  # fmt: skip
    with pytest.raises(DataRefused, match=r"a scale without extent.*such as 5 and 1 for marks"):
        shop.run()


def test_the_remedy_for_answers_that_run_the_wrong_way_turns_them(shop):
    shop.text["surveys"] = MARKS.replace("5,1,", "1,5,")
    shop.columns["surveys"] = {
        "scale_low": "case when instrument = 'csat' then 5 else scale_low end",
        "scale_high": "case when instrument = 'csat' then 1 else scale_high end",
    }
    shop.run()
    rows = by_customer(shop.stored("surveys").to_pylist())
    assert [r["score"] for r in rows] == [5.0, 2.0, None, 9.0]
