"""Every column of the source becomes an attribute, and the label of a snapshot none."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.config.company import load_company
from features.config.snapshot_settings import LABEL
from features.errors import ConfigRefused, DataRefused
from features.history_store import Manifest
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.settings import Workspace

PEOPLE = """id,Monthly Charges,plan,order,Gone,Why
c1,10.5,basic,1,Yes,price
c2,20,gold,2,No,
c3,,gold,2,No,
c4,40,basic,3,,
"""
MAPPED = 'columns = { customer_id = "id", "*" = "*" }\nexcept = ["Why"]'


def imported(home: Path, table: str = PEOPLE, mapped: str = MAPPED, label: str = "Gone = 'Yes'"):
    workspace = Workspace(home)
    workspace.data.mkdir(parents=True, exist_ok=True)
    (workspace.data / "people.csv").write_text(table, encoding="utf-8")
    path = workspace.data / "acme.toml"
    path.write_text(
        f'[company]\nname = "acme"\n[tables.customers]\nfiles = "people.csv"\n{mapped}\n'
        f'[snapshot]\nlabel = "{label}"\n',
        encoding="utf-8",
    )
    manifest = import_history(load_company(path), workspace, silent_steps())
    return manifest, pq.read_table(workspace.history("acme") / "customers.parquet")


def test_each_other_column_is_an_attribute_under_a_name_that_features_may_have(tmp_path):
    manifest, stored = imported(tmp_path)
    assert manifest.schema.attributes == {
        "Monthly_Charges": "number", "plan": "text", "order": "number",
    }  # fmt: skip
    assert "Why" not in stored.column_names
    rows = stored.sort_by("customer_id").to_pydict()
    assert rows["Monthly_Charges"] == [10.5, 20.0, None, 40.0]
    assert rows[LABEL] == [1.0, 0.0, 0.0, None]


def test_columns_that_an_expression_names_are_not_mapped_again(tmp_path):
    mapped = 'columns = { customer_id = "id", cents = "\\"Monthly Charges\\" * 100", "*" = "*" }'
    manifest, _ = imported(tmp_path, mapped=mapped)
    assert set(manifest.schema.attributes) == {"cents", "plan", "order", "Why"}


def test_a_text_in_an_expression_is_no_column(tmp_path):
    """The value 'plan' of the label is not the column plan."""
    manifest, _ = imported(tmp_path, label="Gone = 'plan' or Gone = 'Yes'")
    assert "plan" in manifest.schema.attributes


def test_a_bare_star_takes_the_contract_columns_by_name(tmp_path):
    table = PEOPLE.replace("id,", "Customer_ID,", 1)
    manifest, stored = imported(tmp_path, table, 'columns = "*"\nexcept = ["Why"]')
    assert set(manifest.schema.attributes) == {"Monthly_Charges", "plan", "order"}
    assert sorted(stored["customer_id"].to_pylist()) == ["c1", "c2", "c3", "c4"]


def test_a_source_without_an_id_is_refused_with_its_columns(tmp_path):
    with pytest.raises(ConfigRefused, match=r"lacks customer_id.*one of: id, Monthly Charges"):
        imported(tmp_path, mapped='columns = "*"')


def test_an_unknown_column_under_except_is_refused_with_a_near_match(tmp_path):
    with pytest.raises(ConfigRefused, match="except: Whys is not a column; did you mean Why"):
        imported(tmp_path, mapped=MAPPED.replace("Why", "Whys"))


def test_two_columns_that_would_share_a_name_are_refused(tmp_path):
    table = PEOPLE.replace(",order,", ",Monthly-Charges,")
    with pytest.raises(ConfigRefused, match="would both be Monthly_Charges"):
        imported(tmp_path, table)


def test_a_label_of_words_is_refused_and_the_remedy_works(tmp_path):
    with pytest.raises(DataRefused) as refused:
        imported(tmp_path, label="Gone")
    assert refused.value.exit_code == 3
    text = str(refused.value)
    assert "Gone has the values 'No' (2 rows), 'Yes' (1 rows)" in text
    remedy = text.split('label = "')[1].removesuffix('"')
    assert remedy == "Gone = 'No'"
    assert imported(tmp_path, label=remedy.replace("No", "Yes"))[0].rows == {"customers": 4}


def test_a_label_of_numbers_must_be_0_or_1(tmp_path):
    assert imported(tmp_path, label='(\\"order\\" = 1)::int')[0].customers == 4
    with pytest.raises(DataRefused, match=r"has the values 2 \(2 rows\)"):
        imported(tmp_path, label='\\"order\\"')


def test_a_snapshot_ends_at_its_declared_end_or_at_its_import(tmp_path):
    manifest, _ = imported(tmp_path)
    assert Manifest.read(Workspace(tmp_path), "acme").end == manifest.end
    assert manifest.end > manifest.start
