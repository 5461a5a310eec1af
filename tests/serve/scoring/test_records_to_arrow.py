"""Rows of a request become contract tables with the types of the company."""

import pyarrow as pa

from features.contract import TABLES
from features.definitions.company_schema import CompanySchema
from serve.schemas.record_schemas import Records
from serve.scoring.records_to_arrow import TYPES, record_warnings, records_to_tables

SCHEMA = CompanySchema({}, {"region": "text", "size": "number"}, ())
DAY = "2025-03-01T00:00:00Z"


def tables(**rows: object) -> dict[str, pa.Table]:
    customers = [{"customer_id": "a"}]
    return records_to_tables(Records.model_validate({"customers": customers, **rows}), SCHEMA)


def test_a_table_without_rows_is_left_out() -> None:
    assert list(tables()) == ["customers"]
    event = {"customer_id": "a", "occurred_at": DAY, "kind": "order"}
    assert list(tables(events=[event], tickets=[])) == ["customers", "events"]


def test_all_columns_of_the_contract_have_their_type() -> None:
    made = tables(
        events=[{"customer_id": "a", "occurred_at": DAY, "kind": "order", "amount": 12}],
        surveys=[{"customer_id": "a", "sent_at": DAY, "instrument": "nps", "scale_low": 0,
                  "scale_high": 10, "score": 9, "answered_at": "2025-03-01T03:00:00+02:00"}],
        tickets=[{"customer_id": "a", "opened_at": DAY, "reopened": True},
                 {"customer_id": "a", "opened_at": DAY}],
    )  # fmt: skip
    for name, table in made.items():
        contract = {c.name: TYPES[c.kind] for c in TABLES[name].columns}
        attributes = {"region": pa.string(), "size": pa.float64()} if name == "customers" else {}
        assert dict(zip(table.schema.names, table.schema.types, strict=True)) == {
            **contract, **attributes,
        }  # fmt: skip
    assert made["events"]["amount"].to_pylist() == [12.0]
    assert made["events"]["known_at"].to_pylist() == [None]
    assert f"{made['surveys']['answered_at'][0].as_py():%H:%M}" == "01:00"
    assert made["surveys"]["weight"].to_pylist() == [1.0]
    assert made["tickets"]["reopened"].to_pylist() == [1.0, None]


def test_attributes_take_the_types_of_the_companys_crm() -> None:
    rows = [
        {"customer_id": "a", "region": "north", "size": 40, "shoe": "left"},
        {"customer_id": "b", "region": 7, "size": "big"},
        {"customer_id": "c"},
    ]
    made = tables(customers=rows)["customers"]
    assert made.column_names == ["customer_id", "valid_from", "region", "size"]
    assert made["region"].to_pylist() == ["north", "7.0", None]
    assert made["size"].to_pylist() == [40.0, None, None]


def test_kinds_that_no_feature_reads_are_warned_of_without_their_words() -> None:
    words = ["order", "Order", "secret", "tasting"]
    events = [{"customer_id": "a", "occurred_at": DAY, "kind": word} for word in words]
    records = Records.model_validate({"customers": [{"customer_id": "a"}], "events": events})
    schema = CompanySchema({}, {}, (), kinds={"events": ("order", "tasting")})
    (warning,) = record_warnings(records, schema)
    assert warning.startswith("2 of 4 events are of a kind that the company does not have")
    assert warning.endswith("some differ from order only in spelling")
    assert "secret" not in warning


def test_an_answer_on_a_scale_with_the_best_below_is_turned_around() -> None:
    answer = {"customer_id": "a", "sent_at": DAY, "answered_at": DAY, "instrument": "csat",
              "score": 1, "expectation": 2, "scale_low": 5, "scale_high": 1}  # fmt: skip
    made = tables(surveys=[answer, answer | {"score": None, "answered_at": None}])["surveys"]
    assert made["score"].to_pylist() == [5.0, None]
    assert made["expectation"].to_pylist() == [4.0, 4.0]
    assert made["scale_low"].to_pylist() == [1.0, 1.0]
    assert made["scale_high"].to_pylist() == [5.0, 5.0]
