"""Attributes that identify customers are found by their values and not used as features."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.config.company import load_company
from features.data_quality.missing_values import check_identifying_attributes
from features.feature_table import plan_for
from features.import_history.run_import import import_history
from features.ingest.identifier_columns import IdentifierColumn, find_identifier_columns
from features.progress import silent_steps
from features.sample_company.generate import generate_sample_company
from features.settings import Workspace
from support.canary_marks import marked_files
from support.checked_table_builders import build_checked_table, finding_rows

PROJECT = Path(__file__).parents[3]
KINDS = {"title": "text", "region": "text", "size": "number"}


def customers(count: int) -> list[dict[str, object]]:
    """Two versions of each customer: a unique name, one of four regions, a unique size."""
    return [
        {
            "customer_id": f"C{i}",
            "valid_from": v,
            "title": f"n{i}",
            "region": f"r{i % 4}",
            "size": i,
        }
        for i in range(count)
        for v in (0, 10)
    ]


def test_unique_texts_identify_shared_texts_and_numbers_do_not() -> None:
    found = build_checked_table("customers", customers(30), **KINDS)
    assert find_identifier_columns(found.connection, found.view, KINDS) == [
        IdentifierColumn("title", 30, 30)
    ]
    assert finding_rows(check_identifying_attributes(found)) == [
        ("customers.title", "names customers", "warning", 60, 60)
    ]
    (finding,) = check_identifying_attributes(found)
    assert "n1" not in json.dumps(finding.to_dict())


def test_with_few_customers_nothing_identifies() -> None:
    found = build_checked_table("customers", customers(19), **KINDS)
    assert find_identifier_columns(found.connection, found.view, KINDS) == []
    assert find_identifier_columns(found.connection, found.view, {}) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(20, 60), st.integers(1, 60), st.integers(0, 10))
def test_the_threshold_is_half_of_the_customers_with_a_value(
    there: int, values: int, without: int
) -> None:
    rows = [
        {"customer_id": f"C{i}", "valid_from": 0, "title": f"n{i % values}"} for i in range(there)
    ]
    rows += [{"customer_id": f"D{i}", "valid_from": 0, "title": None} for i in range(without)]
    found = build_checked_table("customers", rows, title="text")
    names = find_identifier_columns(found.connection, found.view, {"title": "text"})
    assert bool(names) == (2 * min(there, values) >= there)
    assert all((n.values, n.customers) == (min(there, values), there) for n in names)


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The sample company with name, phone and e-mail address mapped by mistake."""
    workspace = Workspace(tmp_path_factory.mktemp("careless"))
    folder = workspace.company("sample")
    folder.mkdir(parents=True)
    generate_sample_company(folder / "raw", folder / "truth", 300, 7)
    shutil.copy(PROJECT / "data/sample.toml", workspace.data)
    toml = workspace.data / "sample.toml"
    more = 'region = "region"\nname = "name"\nphone = "phone"\nmail = "email"\n'
    toml.write_text(toml.read_text().replace('region = "region"\n', more, 1))
    import_history(load_company(toml), workspace, silent_steps())
    return workspace


def test_personal_data_mapped_by_mistake_are_reported_and_not_used(mapped: Workspace) -> None:
    from features.history_store import Manifest

    manifest = Manifest.read(mapped, "sample")
    assert marked_files([mapped.history("sample") / "customers.parquet"])  # there they are
    assert {"region", "plan", "account_owner"} <= set(manifest.schema.attributes)
    assert not {"name", "phone", "mail"} & set(manifest.schema.attributes)
    names = set(plan_for(manifest.schema).names)
    assert "crm_region" in names
    assert not {"crm_name", "crm_phone", "crm_mail"} & names
    report: Path = mapped.company("sample") / "data-quality.json"
    findings = json.loads(report.read_text())["findings"]
    said = {f["column"] for f in findings if f["check"] == "names customers"}
    assert said == {"name", "phone", "mail"}
    assert marked_files([report, mapped.history("sample") / "history.json"]) == {}
