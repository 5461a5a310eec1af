"""Leaks planted in a company's data, its file, the code and the stored sets: each is found."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.contract import SURVEYS, TABLES
from features.definitions.feature_registry import REGISTRY, feature
from features.errors import LeakFound
from features.history.derived_columns import DERIVED, DerivedColumn
from features.history.history_table import DAY
from models.leakage.findings import raise_on_leaks
from models.targets import registry
from models.training import train as training
from models.training_set import build_training_sets, splits
from support.planted_company import PlantedCompany, findings_text

pytestmark = pytest.mark.slow


@pytest.fixture
def planted(small_company, tmp_path):
    return PlantedCompany(small_company, tmp_path / "home")


@pytest.fixture
def registered(monkeypatch):
    """The feature registry, restored after the test."""
    before = dict(REGISTRY)
    yield monkeypatch
    REGISTRY.clear()
    REGISTRY.update(before)


def retarget(monkeypatch, name, **changes):
    monkeypatch.setitem(registry.TARGETS, name, replace(registry.TARGETS[name], **changes))


# --- features that look ahead -----------------------------------------------------------------


def test_a_feature_that_reads_an_answer_before_it_came(planted, registered):
    columns = [
        replace(c, revealed_by=None, required=False) if c.name == "score" else c
        for c in SURVEYS.columns
    ]
    registered.setitem(TABLES, "surveys", replace(SURVEYS, columns=tuple(columns)))

    @feature(unit="points")
    def planted_score(past):
        """Score last given, as it will turn out"""
        return past.surveys.last("score")

    planted.build()
    findings = planted.check_leakage().findings
    assert {f.kind for f in findings} <= {"looks ahead", "suspiciously good"}
    assert "feature planted_score" in findings_text(planted.check_leakage(), "looks ahead")
    assert "change when the records from the cutoff on are removed" in str(findings[0])


def test_a_feature_scaled_by_a_mean_over_all_customers_and_times(planted, registered):
    def make(rows):
        return rows.numbers["amount"] / np.nanmean(rows.numbers["amount"])

    registered.setitem(
        DERIVED["events"], "relative", DerivedColumn(("amount",), None, make, "ratio")
    )

    @feature(unit="ratio")
    def planted_scale(past):
        """Last amount over the mean of all amounts"""
        return past.events.where(kind="order").last("relative")

    planted.build()
    assert "planted_scale" in findings_text(planted.check_leakage(), "looks ahead")


def test_training_sets_built_with_a_cutoff_a_week_late(planted, monkeypatch):
    honest = build_training_sets.feature_table

    def late(history, customers, cutoff, *rest):
        made = honest(history, customers, cutoff + 7 * DAY, *rest)
        return made.set_column(1, "cutoff", pa.array(cutoff, made["cutoff"].type))

    monkeypatch.setattr(build_training_sets, "feature_table", late)
    planted.build()
    text = findings_text(planted.check_leakage(), "looks ahead")
    assert "of features/churn.parquet" in text
    assert "of features/snapshot.parquet" in text
    assert "differ from those computed from the customer's records before the cutoff" in text


def test_a_stored_column_replaced_by_later_values(planted):
    table = planted.read_training_set("value")
    place = table.column_names.index("revenue_90d")
    later = np.roll(table["revenue_90d"].to_numpy(), -3)
    planted.write_training_set("value", table.set_column(place, "revenue_90d", pa.array(later)))
    text = findings_text(planted.check_leakage(), "looks ahead")
    assert "column revenue_90d of features/value.parquet (target value)" in text


def test_the_label_among_the_features(planted):
    table = planted.read_training_set("churn")
    noise = np.random.default_rng(1).normal(0, 0.1, table.num_rows)
    planted.write_training_set(
        "churn", table.append_column("risk", pa.array(table["label"].to_numpy() + noise))
    )
    text = findings_text(planted.check_leakage(), "undeclared column")
    assert "column risk of features/churn.parquet (target churn)" in text
    assert "must be declared with @feature" in text


# --- snapshots --------------------------------------------------------------------------------


ONE = (
    "select * from crm_accounts qualify row_number() over (partition by account_no "
    "order by changed_at desc) = 1"
)


def test_a_snapshot_dated_back_to_one_day(planted):
    planted.replace_table("crm_accounts", ONE)
    planted.edit_config('valid_from = "changed_at"', "valid_from = \"timestamp '2020-01-01'\"")
    planted.build()
    text = findings_text(planted.check_leakage(), "snapshot without history")
    assert "customers.account_owner" in text
    assert (
        "400 customers have one version each, all valid from the same instant, 2020-01-01" in text
    )
    assert "tables.customers.constant" in text


def test_a_snapshot_dated_back_to_the_day_each_customer_joined_is_a_note(planted):
    """Such a table may be honest: nothing shows that its attributes have changed since."""
    planted.replace_table("crm_accounts", ONE.replace(
        "*", "* replace ((select min(o.ordered_at) from orders o where o.account_no = crm_accounts."
        "account_no) as changed_at)", 1))  # fmt: skip
    planted.edit_config("max_bad_share = 0.0", "max_bad_share = 0.5")
    planted.build()
    report = planted.check_leakage()
    assert not findings_text(report, "snapshot without history")
    assert any("one version each, half of them older than" in note for note in report.notes)


# --- attributes and records with later knowledge ----------------------------------------------


def declare_constant(planted, name, sql):
    """Replace the CRM table by one attribute with today's value, declared constant."""
    planted.replace_table("crm_accounts", f"select account_no, ({sql}) as {name} from ({ONE}) a")
    text = planted.toml.read_text()
    start, end = text.index("[tables.customers.columns]"), text.index("[tables.events]")
    mapped = f'constant = ["{name}"]\n[tables.customers.columns]\ncustomer_id = "account_no"\n'
    planted.toml.write_text(text[:start] + mapped + f'{name} = "{name}"\n\n' + text[end:])
    planted.build()


def test_todays_status_declared_constant(planted):
    left = "select case when count(*) > 0 then 'closed' else 'open' end from contracts c"
    declare_constant(
        planted, "status", f"{left} where c.account_no = a.account_no and status = 'cancelled'"
    )
    text = findings_text(planted.check_leakage(), "suspiciously good")
    assert "feature crm_status (target churn)" in text
    assert "never changes and on its own predicts the outcome with an AUC of" in text
    assert "today's state shown in the past" in text


def test_lifetime_revenue_declared_constant(planted):
    declare_constant(
        planted, "lifetime_value",
        "select coalesce(sum(net_amount), 0) from orders o where o.account_no = a.account_no",
    )  # fmt: skip
    text = findings_text(planted.check_leakage(), "suspiciously good")
    assert "feature crm_lifetime_value (target value)" in text
    assert "leave unexplained" in text


def test_an_attribute_dated_back_before_the_outcome(planted):
    """A CRM version `closed` is valid a hundred days before the customer cancels."""
    planted.replace_table("crm_accounts", f"""
        select * exclude (rank) replace (case when rank = 2 then 'closed' else plan end as plan) from (
            select *, 1 as rank from crm_accounts
            union all by name
            select a.* replace (c.changed_at - interval 100 day as changed_at), 2 as rank
            from contracts c join ({ONE}) a using (account_no) where c.status = 'cancelled'
        ) qualify row_number() over (partition by account_no, changed_at order by rank desc) = 1
    """)  # fmt: skip
    planted.build()
    text = findings_text(planted.check_leakage(), "suspiciously good")
    assert "feature crm_plan (target churn)" in text
    assert "with its values of 90 days earlier" in text


def test_records_dated_back_before_the_outcome(planted):
    """Visits to win back a customer, dated before they cancelled."""
    planted.replace_table("visits", """
        select * replace (visited_at as booked_at) from visits where random() < 0.3
        union all by name
        select account_no, changed_at - to_days((85 + 5 * i)::int) as visited_at,
               changed_at - to_days((85 + 5 * i)::int) as booked_at, 'x' as owner
        from contracts, range(3) t(i) where status = 'cancelled'
    """)  # fmt: skip
    planted.build()
    text = findings_text(planted.check_leakage(), "suspiciously good")
    assert "visit" in text
    assert "(target churn)" in text
    assert "map known_at" in text


# --- the split and the training ---------------------------------------------------------------


def test_a_split_that_trains_on_its_test(planted, monkeypatch):
    honest = training.split_rows

    def careless(target, config, rows):
        split = honest(target, config, rows)
        return replace(split, refit=np.ones(len(rows.label), bool))

    monkeypatch.setattr(training, "split_rows", careless)
    report = planted.check_leakage()
    assert "training of churn" in findings_text(report, "shuffled labels")
    assert "standard errors; chance stays within 5" in findings_text(report, "shuffled labels")
    assert "the split of churn" in findings_text(report, "overlapping windows")


def test_a_split_whose_windows_overlap(planted, monkeypatch):
    honest = splits.split_calendar
    monkeypatch.setattr(splits, "split_calendar", lambda cutoff, span: honest(cutoff, span // 3))
    text = findings_text(planted.check_leakage(), "overlapping windows")
    assert "the split of churn" in text
    assert "label windows of 90 days that reach into the test" in text


# --- duplicates -------------------------------------------------------------------------------


def test_duplicated_training_rows(planted):
    table = planted.read_training_set("churn")
    planted.write_training_set("churn", pa.concat_tables([table, table.slice(0, 50)]))
    text = findings_text(planted.check_leakage(), "duplicates")
    assert "features/churn.parquet (target churn): 50 of" in text
    assert "the same customer, cutoff" in text


def test_customers_under_two_ids(planted):
    for table in ("crm_accounts", "orders", "contracts"):
        planted.replace_table(table, f"""
            select * from {table} union all by name
            select * replace ('B' || account_no as account_no) from {table}
            where account_no <= 'A0000019'
        """)  # fmt: skip
    planted.build()
    text = findings_text(planted.check_leakage(), "duplicates")
    assert "20 ids share their whole history" in text
    assert "map both ids onto one customer_id" in text
    assert "A00000" not in text


def test_answers_recorded_twice(planted):
    planted.replace_table("surveys", "select * from surveys union all select * from surveys "
                               "where account_no <= 'A0000099'")  # fmt: skip
    planted.build()
    text = findings_text(planted.check_leakage(), "duplicates")
    assert "features/satisfaction.parquet" in text
    assert "the same customer, cutoff and answer" in text


# --- labels -----------------------------------------------------------------------------------


def test_a_data_end_declared_too_late(planted):
    planted.edit_config('data_end = "2026-07-01', 'data_end = "2026-08-15')
    planted.build()
    text = findings_text(planted.check_leakage(), "immature label")
    assert "(target churn, value)" in text
    assert "46 days without" in text or "45 days without" in text
    assert "set company.data_end = 2026-07-01T00:00:00Z" in text


def test_a_quarter_without_a_cancellation_skips_churn_alone(planted):
    planted.replace_table(
        "contracts",
        "select * from contracts where status <> 'cancelled' or changed_at < '2026-04-01'",
    )
    planted.build()
    report = planted.check_leakage()
    assert report.leaks == ()
    assert list(report.doubtful_targets()) == ["churn"]
    assert "'cancel' records" in report.doubtful_targets()["churn"]


def test_label_windows_that_end_after_the_data(planted):
    table = planted.read_training_set("churn")
    later = pa.array(np.array(table["cutoff"].to_numpy()) + np.timedelta64(30, "D"))
    place = table.column_names.index("cutoff")
    planted.write_training_set(
        "churn", table.set_column(place, "cutoff", later.cast(table["cutoff"].type))
    )
    text = findings_text(planted.check_leakage(), "immature label")
    assert "features/churn.parquet (target churn)" in text
    assert "label windows of 90 days end after the data, which end on 2026-07-01" in text


def test_a_label_that_reads_past_its_window(planted, monkeypatch):
    honest = registry.TARGETS["value"].label_sql
    retarget(monkeypatch, "value", label_sql=lambda c: honest(c.model_copy(
        update={"horizon_days": c.horizon_days + 60})))  # fmt: skip
    planted.build()
    text = findings_text(planted.check_leakage(), "label window")
    assert "labels of value (target value)" in text
    assert "change when the records after their window are removed" in text


def test_a_label_that_reads_before_its_window(planted, monkeypatch):
    honest = registry.TARGETS["value"].label_sql
    retarget(monkeypatch, "value", label_sql=lambda c: honest(c).replace(
        "c.cutoff + interval 0 day", "c.cutoff - interval 30 day"))  # fmt: skip
    planted.build()
    assert "part of the outcome is known at the cutoff" in findings_text(
        planted.check_leakage(), "label window"
    )


def test_customers_selected_by_later_records(planted, monkeypatch):
    honest = registry.TARGETS["value"].label_sql
    retarget(monkeypatch, "value", label_sql=lambda c: honest(c).replace("left join", "join"))
    planted.build()
    text = findings_text(planted.check_leakage(), "label window")
    assert "only because of what happened after the cutoff" in text


@pytest.mark.parametrize("moment", ["answered_at", "answered_at + interval 1 hour"])
def test_features_from_after_the_answer(planted, monkeypatch, moment):
    honest = registry.TARGETS["satisfaction"].label_sql
    retarget(monkeypatch, "satisfaction", label_sql=lambda c: honest(c).replace(
        "sent_at as cutoff", f"{moment} as cutoff"))  # fmt: skip
    planted.build()
    text = findings_text(planted.check_leakage(), "after the answer")
    assert "satisfaction" in text
    assert "use the time the question was sent (sent_at) as the cutoff" in text


# --- identifiers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "evidence"),
    [
        ("account_no", "400 of 400 sampled values are the customer_id itself"),
        ("regexp_replace(account_no, '[A-Z]', '')::double", "the digits of the customer_id"),
        ("name", "400 different texts for 400 sampled customers"),
        ("row_number() over ()", "a numbering of the rows"),
    ],
)
def test_a_column_that_identifies_or_numbers_customers(planted, expression, evidence):
    planted.edit_config('industry = "industry"', f'industry = "{expression}"')
    planted.build()
    text = findings_text(planted.check_leakage(), "identifier")
    assert "customers.industry" in text
    assert evidence in text


def test_row_numbers_among_the_features(planted):
    table = planted.read_training_set("churn")
    numbered = table.append_column("row", pa.array(np.arange(table.num_rows, dtype=float)))
    planted.write_training_set("churn", numbered)
    assert "column row of features/churn.parquet (target churn)" in findings_text(
        planted.check_leakage(), "identifier"
    )


def test_the_error_lists_every_planted_leak(planted):
    table = planted.read_training_set("churn")
    planted.write_training_set("churn", pa.concat_tables([table, table.slice(0, 50)]).append_column(
        "risk", pa.array(np.ones(table.num_rows + 50))))  # fmt: skip
    with pytest.raises(LeakFound, match=r"2 leaks found, nothing was trained") as caught:
        raise_on_leaks(planted.check_leakage())
    assert caught.value.exit_code == 3
    assert "undeclared column: column risk" in str(caught.value)
    assert "duplicates: features/churn.parquet" in str(caught.value)
