"""Leaks planted in a company's data, its file, the code and the stored sets: each is named."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.contract import SURVEYS, TABLES
from features.definitions.feature_registry import REGISTRY, feature
from features.errors import LeakFound
from features.history.derived_columns import DERIVED, Derived
from features.history.rows import DAY
from models.leakage.findings import raise_on_leaks
from models.targets import registry
from models.training import train as training
from models.training_set import build_training_sets, splits
from support.planted_company import Planted, told


@pytest.fixture
def planted(small_company, tmp_path):
    return Planted(small_company, tmp_path / "home")


@pytest.fixture
def registered(monkeypatch):
    """A registry that forgets at the end of the test what was registered in it."""
    before = dict(REGISTRY)
    yield monkeypatch
    REGISTRY.clear()
    REGISTRY.update(before)


def retarget(monkeypatch, name, **changes):
    monkeypatch.setitem(registry.TARGETS, name, replace(registry.TARGETS[name], **changes))


# --- features that look ahead -----------------------------------------------------------------


def test_a_feature_that_shows_an_answer_before_it_came(planted, registered):
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
    charges = planted.hear().charges
    assert {c.kind for c in charges} <= {"looks ahead", "suspiciously good"}
    assert "feature planted_score" in told(planted.hear(), "looks ahead")
    assert "change when the records from the cutoff on are removed" in str(charges[0])


def test_a_feature_scaled_by_all_customers_of_all_times(planted, registered):
    def make(rows):
        return rows.numbers["amount"] / np.nanmean(rows.numbers["amount"])

    registered.setitem(DERIVED["events"], "relative", Derived(("amount",), None, make, "ratio"))

    @feature(unit="ratio")
    def planted_scale(past):
        """Last amount over the mean of all amounts"""
        return past.events.where(kind="order").last("relative")

    planted.build()
    assert "planted_scale" in told(planted.hear(), "looks ahead")


def test_a_builder_that_makes_features_a_week_late(planted, monkeypatch):
    honest = build_training_sets.feature_table

    def late(history, customers, cutoff, *rest):
        made = honest(history, customers, cutoff + 7 * DAY, *rest)
        return made.set_column(1, "cutoff", pa.array(cutoff, made["cutoff"].type))

    monkeypatch.setattr(build_training_sets, "feature_table", late)
    planted.build()
    words = told(planted.hear(), "looks ahead")
    assert "of features/churn.parquet" in words
    assert "of features/snapshot.parquet" in words
    assert "not those that the customer's records before the cutoff give" in words


def test_a_stored_column_replaced_by_its_later_self(planted):
    table = planted.stored("value")
    place = table.column_names.index("revenue_90d")
    later = np.roll(table["revenue_90d"].to_numpy(), -3)
    planted.store("value", table.set_column(place, "revenue_90d", pa.array(later)))
    words = told(planted.hear(), "looks ahead")
    assert "column revenue_90d of features/value.parquet (target value)" in words


def test_the_label_among_the_features(planted):
    table = planted.stored("churn")
    noise = np.random.default_rng(1).normal(0, 0.1, table.num_rows)
    planted.store("churn", table.append_column("risk", pa.array(table["label"].to_numpy() + noise)))
    words = told(planted.hear(), "undeclared column")
    assert "column risk of features/churn.parquet (target churn)" in words
    assert "is declared with @feature" in words


# --- snapshots --------------------------------------------------------------------------------


ONE = (
    "select * from crm_accounts qualify row_number() over (partition by account_no "
    "order by changed_at desc) = 1"
)


def test_a_snapshot_dated_back_to_one_day(planted):
    planted.rewrite("crm_accounts", ONE)
    planted.map('valid_from = "changed_at"', "valid_from = \"timestamp '2020-01-01'\"")
    planted.build()
    words = told(planted.hear(), "snapshot without history")
    assert "customers.account_owner" in words
    assert (
        "400 customers have one version each, all valid from the same instant, 2020-01-01" in words
    )
    assert "tables.customers.constant" in words


def test_a_snapshot_dated_back_to_when_each_customer_came_is_told(planted):
    """Such a table may be honest: nothing in it says that its attributes have changed since."""
    planted.rewrite("crm_accounts", ONE.replace(
        "*", "* replace ((select min(o.ordered_at) from orders o where o.account_no = crm_accounts."
        "account_no) as changed_at)", 1))  # fmt: skip
    planted.map("max_bad_share = 0.0", "max_bad_share = 0.5")
    planted.build()
    verdict = planted.hear()
    assert not told(verdict, "snapshot without history")
    assert any("one version each, half of them older than" in note for note in verdict.notes)


# --- attributes and records that know too much ------------------------------------------------


def declare_constant(planted, name, sql):
    """An attribute of today for every customer, declared never to change."""
    planted.rewrite("crm_accounts", f"select account_no, ({sql}) as {name} from ({ONE}) a")
    text = planted.toml.read_text()
    start, end = text.index("[tables.customers.columns]"), text.index("[tables.events]")
    mapped = f'constant = ["{name}"]\n[tables.customers.columns]\ncustomer_id = "account_no"\n'
    planted.toml.write_text(text[:start] + mapped + f'{name} = "{name}"\n\n' + text[end:])
    planted.build()


def test_the_state_of_today_declared_constant(planted):
    left = "select case when count(*) > 0 then 'closed' else 'open' end from contracts c"
    declare_constant(
        planted, "status", f"{left} where c.account_no = a.account_no and status = 'cancelled'"
    )
    words = told(planted.hear(), "suspiciously good")
    assert "feature crm_status (target churn)" in words
    assert "never changes and alone tells the outcome with a power of" in words
    assert "today's state shown in the past" in words


def test_the_revenue_of_all_times_declared_constant(planted):
    declare_constant(
        planted, "lifetime_value",
        "select coalesce(sum(net_amount), 0) from orders o where o.account_no = a.account_no",
    )  # fmt: skip
    words = told(planted.hear(), "suspiciously good")
    assert "feature crm_lifetime_value (target value)" in words
    assert "leave unexplained" in words


def test_an_attribute_dated_back_before_what_it_tells(planted):
    """A version that says closed is valid a hundred days before the customer cancelled."""
    planted.rewrite("crm_accounts", f"""
        select * exclude (rank) replace (case when rank = 2 then 'closed' else plan end as plan) from (
            select *, 1 as rank from crm_accounts
            union all by name
            select a.* replace (c.changed_at - interval 100 day as changed_at), 2 as rank
            from contracts c join ({ONE}) a using (account_no) where c.status = 'cancelled'
        ) qualify row_number() over (partition by account_no, changed_at order by rank desc) = 1
    """)  # fmt: skip
    planted.build()
    words = told(planted.hear(), "suspiciously good")
    assert "feature crm_plan (target churn)" in words
    assert "with its values of 90 days earlier" in words


def test_records_dated_back_before_what_they_tell(planted):
    """Visits to win back a customer, entered under a date before he cancelled."""
    planted.rewrite("visits", """
        select * replace (visited_at as booked_at) from visits where random() < 0.3
        union all by name
        select account_no, changed_at - to_days((85 + 5 * i)::int) as visited_at,
               changed_at - to_days((85 + 5 * i)::int) as booked_at, 'x' as owner
        from contracts, range(3) t(i) where status = 'cancelled'
    """)  # fmt: skip
    planted.build()
    words = told(planted.hear(), "suspiciously good")
    assert "visit" in words
    assert "(target churn)" in words
    assert "map known_at" in words


# --- the split and the way of training --------------------------------------------------------


def test_a_split_that_learns_its_test(planted, monkeypatch):
    honest = training.split_rows

    def careless(target, config, rows):
        split = honest(target, config, rows)
        return replace(split, refit=np.ones(len(rows.label), bool))

    monkeypatch.setattr(training, "split_rows", careless)
    verdict = planted.hear()
    assert "training of churn" in told(verdict, "shuffled labels")
    assert "standard errors; chance stays within 5" in told(verdict, "shuffled labels")
    assert "the split of churn" in told(verdict, "overlapping windows")


def test_a_split_whose_windows_overlap(planted, monkeypatch):
    honest = splits.split_calendar
    monkeypatch.setattr(splits, "split_calendar", lambda cutoff, span: honest(cutoff, span // 3))
    words = told(planted.hear(), "overlapping windows")
    assert "the split of churn" in words
    assert "label windows of 90 days that reach into the test" in words


# --- copies -----------------------------------------------------------------------------------


def test_training_rows_that_are_there_twice(planted):
    table = planted.stored("churn")
    planted.store("churn", pa.concat_tables([table, table.slice(0, 50)]))
    words = told(planted.hear(), "copies")
    assert "features/churn.parquet (target churn): 50 of" in words
    assert "the same customer, cutoff" in words


def test_customers_under_two_ids(planted):
    for table in ("crm_accounts", "orders", "contracts"):
        planted.rewrite(table, f"""
            select * from {table} union all by name
            select * replace ('B' || account_no as account_no) from {table}
            where account_no <= 'A0000019'
        """)  # fmt: skip
    planted.build()
    words = told(planted.hear(), "copies")
    assert "20 customers share their whole history" in words
    assert "map both ids onto one customer_id" in words
    assert "A00000" not in words


def test_answers_recorded_twice(planted):
    planted.rewrite("surveys", "select * from surveys union all select * from surveys "
                               "where account_no <= 'A0000099'")  # fmt: skip
    planted.build()
    words = told(planted.hear(), "copies")
    assert "features/satisfaction.parquet" in words
    assert "the same customer, cutoff and answer" in words


# --- labels -----------------------------------------------------------------------------------


def test_an_end_of_the_data_that_was_declared_too_late(planted):
    planted.map('data_end = "2026-07-01', 'data_end = "2026-08-15')
    planted.build()
    words = told(planted.hear(), "unripe label")
    assert "(target churn, value)" in words
    assert "46 silent days" in words or "45 silent days" in words
    assert "set company.data_end = 2026-07-01T00:00:00Z" in words


def test_labels_whose_windows_are_not_over(planted):
    table = planted.stored("churn")
    later = pa.array(np.array(table["cutoff"].to_numpy()) + np.timedelta64(30, "D"))
    place = table.column_names.index("cutoff")
    planted.store("churn", table.set_column(place, "cutoff", later.cast(table["cutoff"].type)))
    words = told(planted.hear(), "unripe label")
    assert "features/churn.parquet (target churn)" in words
    assert "label windows of 90 days are not over on 2026-07-01" in words


def test_a_label_that_looks_further_than_it_says(planted, monkeypatch):
    honest = registry.TARGETS["value"].labels
    retarget(monkeypatch, "value", labels=lambda c: honest(c.model_copy(
        update={"horizon_days": c.horizon_days + 60})))  # fmt: skip
    planted.build()
    words = told(planted.hear(), "label window")
    assert "labels of value (target value)" in words
    assert "change when the records after their window are removed" in words


def test_a_label_that_looks_back(planted, monkeypatch):
    honest = registry.TARGETS["value"].labels
    retarget(monkeypatch, "value", labels=lambda c: honest(c).replace(
        "c.cutoff + interval 0 day", "c.cutoff - interval 30 day"))  # fmt: skip
    planted.build()
    assert "part of the outcome is known at the cutoff" in told(planted.hear(), "label window")


def test_customers_chosen_by_what_comes(planted, monkeypatch):
    honest = registry.TARGETS["value"].labels
    retarget(monkeypatch, "value", labels=lambda c: honest(c).replace("left join", "join"))
    planted.build()
    words = told(planted.hear(), "label window")
    assert "only because of what happened after the cutoff" in words


@pytest.mark.parametrize("moment", ["answered_at", "answered_at + interval 1 hour"])
def test_features_from_after_the_answer(planted, monkeypatch, moment):
    honest = registry.TARGETS["satisfaction"].labels
    retarget(monkeypatch, "satisfaction", labels=lambda c: honest(c).replace(
        "sent_at as cutoff", f"{moment} as cutoff"))  # fmt: skip
    planted.build()
    words = told(planted.hear(), "after the answer")
    assert "satisfaction" in words
    assert "take the sending of the question (sent_at) as the cutoff" in words


# --- identifiers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "evidence"),
    [
        ("account_no", "400 of 400 looked-at values are the customer_id itself"),
        ("regexp_replace(account_no, '[A-Z]', '')::double", "the digits of the customer_id"),
        ("name", "400 different texts for 400 looked-at customers"),
        ("row_number() over ()", "a numbering of the rows"),
    ],
)
def test_a_column_that_names_or_numbers_customers(planted, expression, evidence):
    planted.map('industry = "industry"', f'industry = "{expression}"')
    planted.build()
    words = told(planted.hear(), "identifier")
    assert "customers.industry" in words
    assert evidence in words


def test_the_order_of_the_rows_among_the_features(planted):
    table = planted.stored("churn")
    numbered = table.append_column("row", pa.array(np.arange(table.num_rows, dtype=float)))
    planted.store("churn", numbered)
    assert "column row of features/churn.parquet (target churn)" in told(
        planted.hear(), "identifier"
    )


def test_training_is_refused_with_every_leak_in_the_message(planted):
    table = planted.stored("churn")
    planted.store("churn", pa.concat_tables([table, table.slice(0, 50)]).append_column(
        "risk", pa.array(np.ones(table.num_rows + 50))))  # fmt: skip
    with pytest.raises(LeakFound, match=r"2 leaks found, nothing was trained") as caught:
        raise_on_leaks(planted.hear())
    assert caught.value.exit_code == 3
    assert "undeclared column: column risk" in str(caught.value)
    assert "copies: features/churn.parquet" in str(caught.value)
