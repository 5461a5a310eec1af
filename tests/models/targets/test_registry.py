"""Labels of each registered target on a few literal rows."""

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.config.company import load_company
from features.definitions.company_schema import CompanySchema
from features.errors import ConfigRefused, DataRefused
from features.history_store import Manifest
from features.progress import silent_steps
from models.targets.outputs import NPS_CLASSES
from models.targets.registry import TARGETS, company_targets, trainable
from models.training_set.build_training_sets import build_features, read_counts
from support.survey_company import build_labels, import_literal_tables

WEEKS = """
data_end = "2024-02-12T00:00:00Z"
[calendar]
every = "week"
warmup_days = 0
"""
ONLY = "[targets.value]\nenabled = false\n"
#: Cutoffs 01-06, 01-13, 01-20, 01-27, 02-03; labels look at days 2 to 9 (not included) after them.
GAP = "horizon_days = 7\ngap_days = 2"
CONTRACTS = """
edge  2024-01-01  -  contract  -
edge  2024-01-08  -  cancel    -
last  2024-01-01  -  contract  -
last  2024-01-15  -  cancel    -
soon  2024-01-01  -  contract  -
soon  2024-01-07  -  cancel    -
late  2024-01-10  -  contract  -
none  2024-01-01  -  order     9
late  2024-02-11T23:59:59  -  cancel  -
"""


def test_a_cancel_counts_from_the_end_of_the_gap_to_before_the_end_of_the_window(
    tmp_path: Path,
) -> None:
    settings = f'{WEEKS}{ONLY}[targets.churn]\ndefinition = "cancel"\n{GAP}'
    rows, counts = build_labels(tmp_path, "churn", settings, events=CONTRACTS)
    assert rows == [
        ("edge", "01-06", 1),  # the first instant of the window; gone at later cutoffs
        ("last", "01-06", 0),  # the first instant after the window
        ("last", "01-13", 1),
        ("late", "01-13", 0),  # not a customer before 01-10
        ("late", "01-20", 0),
        ("late", "01-27", 0),
        ("late", "02-03", 1),  # the last second of the data
        ("none", "01-06", 0),  # the contract is not in the extract, its order is
        ("none", "01-13", 0),
        ("none", "01-20", 0),
        ("none", "01-27", 0),
        ("none", "02-03", 0),
        # soon leaves on 01-07, within the gap: it can neither stay nor leave within the window
    ]
    assert (counts.rows, counts.customers, counts.unripe) == (12, 4, 0)
    assert counts.classes == {"stays": 9, "leaves": 3}
    assert counts.left_before == 1
    # known at 5 cutoffs each, `late` at 4; those without an open contract are outside
    assert counts.outside == 4 * 5 + 4 - 12 - 1
    assert [c[:10] for c in counts.cutoffs] == [
        "2024-01-06", "2024-01-13", "2024-01-20", "2024-01-27", "2024-02-03",
    ]  # fmt: skip


#: As above: cutoffs 01-06 to 02-03, windows from day 2 to day 9 after them.
KNOWN_LATE = """
upgrade  2024-01-01  -           contract  -
upgrade  2024-01-10  -           cancel    -
upgrade  2024-01-10  -           contract  -
two      2024-01-01  -           contract  -
two      2024-01-02  -           contract  -
two      2024-01-10  -           cancel    -
two      2024-02-07  -           cancel    -
hidden   2024-01-01  -           contract  -
hidden   2024-01-05  2024-01-21  cancel    -
other    2024-01-01  2024-01-21  contract  -
other    2024-02-11T23:59:59  -  login     -
"""


def test_only_the_end_of_the_last_contract_is_a_departure(tmp_path: Path) -> None:
    settings = f'{WEEKS}{ONLY}[targets.churn]\ndefinition = "cancel"\n{GAP}'
    rows, counts = build_labels(tmp_path, "churn", settings, events=KNOWN_LATE)
    assert rows == [
        ("other", "01-27", 0),  # its contract was not known before 01-21
        ("other", "02-03", 0),
        *(("two", cutoff, 0) for cutoff in ("01-06", "01-13", "01-20", "01-27")),
        ("two", "02-03", 1),  # the first cancellation left one contract open
        *(("upgrade", cutoff, 0) for cutoff in ("01-06", "01-13", "01-20", "01-27", "02-03")),
    ]
    # hidden had left at 01-06, 01-13 and 01-20, which nobody knew: it is no stayer
    assert counts.left_before == 3


ORDERS = """
a  2024-01-05T12:00:00  -  order  10
a  2024-01-13           -  order  10
a  2024-01-20           -  order  10
a  2024-02-11           -  order  10
b  2024-01-06           -  order  10
b  2024-02-05           -  login  -
c  2024-01-29  2024-02-08  order  10
d  2024-01-01           -  visit  -
e  2024-01-01           -  order  10
"""


def test_silence_is_a_window_without_an_order_among_recently_active_customers(
    tmp_path: Path,
) -> None:
    settings = f"""{WEEKS}{ONLY}
        [targets.churn]
        definition = "silence"
        horizon_days = 7
        active_days = 14"""
    rows, _ = build_labels(tmp_path, "churn", settings, events=ORDERS)
    assert rows == [
        # cutoffs are 01-01, 01-08, ..., 02-05 and windows the 7 days from there on
        ("a", "01-08", 0),  # orders on 01-13
        ("a", "01-15", 0),  # on 01-20
        ("a", "01-22", 1),
        ("a", "01-29", 1),  # its order of 01-20 is 9 days old
        ("b", "01-08", 1),
        ("b", "01-15", 1),  # a login is no order; at 01-22 the last order is 16 days old
        ("e", "01-08", 1),
        ("e", "01-15", 1),  # exactly 14 days after its order
        # c's order of 01-29 is known only after the last cutoff, d never ordered
    ]


MONEY = """
a  2024-01-01  -  visit    -
a  2024-01-07T23:59:59  -  order  100
a  2024-01-08  -  order    1
a  2024-01-14  -  return   -0.25
a  2024-01-14  -  payment  1000
a  2024-01-15  -  order    10
a  2024-01-23  2024-02-10  order  4
b  2024-01-02  2024-01-16  order  5
b  2024-01-17  -  order    7
b  2024-01-25  -  return   -9
c  2024-01-28  -  order    50
"""


def test_value_is_orders_minus_returns_within_the_window(tmp_path: Path) -> None:
    rows, counts = build_labels(tmp_path, "value", f"{WEEKS}[targets.value]\n{GAP}", events=MONEY)
    assert rows == [
        ("a", "01-06", 0.75),  # 01-08 to 01-14; the payment is no revenue
        ("a", "01-13", 10),
        ("a", "01-20", 4),  # it happened then, though it was booked later
        ("a", "01-27", 0),
        ("a", "02-03", 0),
        ("b", "01-20", -9),  # its first order was not known before 01-16
        ("b", "01-27", 0),
        ("b", "02-03", 0),
        ("c", "02-03", 0),
    ]
    assert counts.classes == {"zero": 5, "not zero": 4}
    assert counts.outside == 0


NPS = """
a  2024-01-01  2024-01-02  nps  0   0  10  1
b  2024-01-01  2024-01-02  nps  6   0  10  1
c  2024-01-01  2024-01-02  nps  7   0  10  1
d  2024-01-01  2024-01-02  nps  8   0  10  2.5
e  2024-01-01  2024-01-02  nps  9   0  10  1
f  2024-01-01  2024-01-02  nps  10  0  10  1
g  2024-01-01  2024-01-02  nps  1   1  5   1
h  2024-01-01  2024-01-02  nps  4   1  5   1
i  2024-01-01  2024-01-02  nps  5   1  5   1
j  2024-01-01  2024-01-02  nps  6   1  10  1
k  2024-01-01  2024-01-02  nps  90  0  100 1
l  2024-01-01  2024-01-02  nps  69  0  100 1
m  2024-01-01  2024-01-02  csat 5   1  5   1
n  2024-01-01  -           nps  -   0  10  1
"""


def test_nps_cut_points_on_several_scales(tmp_path: Path) -> None:
    settings = 'data_end = "2024-02-01T00:00:00Z"\n[targets.nps]\nhorizon_days = 7'
    rows, counts = build_labels(tmp_path, "nps", settings, surveys=NPS)
    found = {customer: NPS_CLASSES[int(label)] for customer, _, label in rows}
    assert found == {
        "a": "detractor", "b": "detractor", "c": "passive", "d": "passive", "e": "promoter",
        "f": "promoter", "g": "detractor", "h": "passive", "i": "promoter", "j": "detractor",
        "k": "promoter", "l": "detractor",
    }  # fmt: skip
    assert counts.classes == {"detractor": 5, "passive": 3, "promoter": 4}


CSAT = """
a  2024-01-01           2024-01-01  csat  1   1  5   1
b  2024-01-01           2024-01-01  csat  2   1  5   1
c  2024-01-01           2024-01-01  csat  3   1  5   0.5
d  2024-01-01           2024-01-01  csat  4   1  5   1
e  2024-01-01           2024-01-01  csat  5   1  5   1
f  2024-01-01           2024-01-01  csat  3   0  10  1
g  2024-01-01           2024-01-01  csat  7   0  10  3
h  2024-01-01           2024-01-01  csat  9   0  10  1
i  2024-01-01  2024-01-07T23:59:59  csat  5   1  5   1
j  2024-01-01  2024-01-08           csat  5   1  5   1
k  2024-01-25           2024-01-25  csat  5   1  5   1
l  2024-01-25T00:00:01  2024-01-26  csat  5   1  5   1
m  2024-01-01           2024-01-01  ces   5   1  5   1
"""
JANUARY = 'data_end = "2024-02-01T00:00:00Z"\n[targets.satisfaction]\nhorizon_days = 7'


def test_satisfaction_levels_of_mature_answers_on_two_scales(tmp_path: Path) -> None:
    rows, counts = build_labels(tmp_path, "satisfaction", JANUARY, surveys=CSAT)
    assert [(c, label) for c, _, label in rows] == [
        ("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e", 4),
        ("f", 1), ("g", 3), ("h", 4),  # 30, 70 and 90 of 100 are nearest to 25, 75 and 100
        ("i", 4),  # a second before the horizon ends; j answers when it has ended
        ("k", 4),  # mature at the very end of the data; l is a second too young
    ]  # fmt: skip
    assert (counts.unripe, counts.late) == (1, 1)
    assert counts.classes == {"0": 1, "25": 2, "50": 1, "75": 2, "100": 4}


def test_answer_weights_are_kept(tmp_path: Path) -> None:
    company, workspace = import_literal_tables(tmp_path, JANUARY, surveys=CSAT)
    build_features(company, workspace, silent_steps())
    table = pq.read_table(workspace.features("written") / "satisfaction.parquet")
    weights = dict(zip(table["customer_id"].to_pylist(), table["weight"].to_pylist(), strict=True))
    assert {k: w for k, w in weights.items() if w != 1} == {"c": 0.5, "g": 3.0}


def test_immature_answers_alone_make_no_training_set(tmp_path: Path) -> None:
    young = "a 2024-01-28 2024-01-29 nps 9 0 10 1\nb 2024-01-29 2024-01-29 csat 5 1 5 1"
    company, workspace = import_literal_tables(tmp_path, JANUARY, surveys=young)
    counts, unable = build_features(company, workspace, silent_steps())
    assert counts == {}
    assert "must be 7 days older than the end of the data, 2024-02-01" in unable["satisfaction"]
    assert unable["value"] == "the company has no events table"
    assert read_counts(company, workspace) == (counts, unable)


#: No evidence of a contract: whether these are customers is unknown.
VISITS = """
a  2024-01-01           -  visit  -
b  2024-02-11T23:00:00  -  login  -
"""


def test_an_empty_population_is_refused(tmp_path: Path) -> None:
    settings = f'{WEEKS}{ONLY}[targets.churn]\ndefinition = "cancel"\n{GAP}'
    with pytest.raises(DataRefused, match="churn: no customer belongs to its population"):
        build_labels(tmp_path, "churn", settings, events=VISITS)


def test_trainable_gives_the_reason_against_each_other_target(tmp_path: Path) -> None:
    settings = "[targets.value]\nenabled = false"
    company, workspace = import_literal_tables(tmp_path, settings, events=ORDERS)
    able, unable = trainable(company, Manifest.read(workspace, "written").schema)
    assert able == []
    assert set(unable) == {t.name for t in company_targets(company)}
    assert unable["value"] == "targets.value.enabled is false in written.toml"
    assert unable["churn"].startswith("targets.churn.definition is not set")
    assert unable["nps"] == "the company has no surveys table"
    empty = CompanySchema({"surveys": ("instrument", "score"), "events": ("kind",)}, {}, ())
    assert trainable(company, empty)[1]["nps"] == "surveys has no values in answered_at"


def test_the_built_in_targets_come_first_and_need_no_section(tmp_path: Path) -> None:
    company, _ = import_literal_tables(tmp_path, "", events=ORDERS)
    assert [*TARGETS][:4] == ["satisfaction", "nps", "churn", "value"]
    assert [t.name for t in company_targets(company)] == ["satisfaction", "nps", "churn", "value"]


def test_an_opt_in_target_concerns_only_companies_that_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TARGETS, "extra", replace(TARGETS["churn"], name="extra", opt_in=True))
    without, _ = import_literal_tables(tmp_path / "a", "", events=ORDERS)
    named, _ = import_literal_tables(
        tmp_path / "b", "[targets.extra]\nhorizon_days = 7", events=ORDERS
    )
    assert "extra" not in {t.name for t in company_targets(without)}
    assert company_targets(named)[-1].name == "extra"


def test_an_unknown_target_is_reported_with_the_known_ones(tmp_path: Path) -> None:
    company, workspace = import_literal_tables(
        tmp_path, "[targets.chrun]\nhorizon_days = 9", events=ORDERS
    )
    with pytest.raises(ConfigRefused, match=r"did you mean churn.*satisfaction, nps, churn, value"):
        trainable(company, Manifest.read(workspace, "written").schema)
    assert load_company(company.path).targets.keys() == {"chrun"}
