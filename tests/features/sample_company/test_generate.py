"""The sample company: reproducible, within its documented rates, with correct ground truth."""

import hashlib
import tomllib
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from features.errors import ConfigRefused
from features.sample_company import parameters
from features.sample_company.generate import BLOCK, generate_sample_company
from features.sample_company.ground_truth import (
    HORIZON,
    effect_moments,
    expected_outcomes,
    monthly_cutoffs,
)
from features.sample_company.parameters import PARAMETERS, CustomerTraits, draw_traits
from features.sample_company.simulated_comments import all_texts
from features.sample_company.weekly_process import (
    WeekStart,
    draw_cancellation,
    draw_week_counts,
    satisfaction_effects,
    simulate_weeks,
)

HOME = Path(__file__).parents[3]
CUSTOMERS = BLOCK + 500
SEED = 11
KINDS = {
    "order",
    "shipment",
    "payment",
    "return",
    "visit",
    "login",
    "contract",
    "renewal",
    "cancel",
}
#: Labels of the cutoffs whose 90 days lie inside the history.
OUTCOMES = """
with cancels as (select account_no, changed_at as gone from contracts where status = 'cancelled'),
flows as (select account_no, ordered_at as moment, net_amount as amount from orders
          union all select account_no, returned_at, -refund from returns)
select s.*, coalesce(gone < cutoff + interval 90 days, false) as churned,
       coalesce((select sum(amount) from flows f where f.account_no = s.account_no
                 and moment >= cutoff and moment < cutoff + interval 90 days), 0) as value
from state s left join cancels using (account_no)
where active and cutoff + interval 90 days <= timestamptz '2026-07-01 00:00:00+00'
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generate_sample_company(folder / "raw", folder / "truth", CUSTOMERS, SEED)
    return folder


@pytest.fixture(scope="module")
def db(company: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    for path in sorted(company.glob("*/*.parquet")):
        connection.execute(f"create view {path.stem} as from '{path}'")
    query = tomllib.loads((HOME / "data/sample.toml").read_text())["tables"]["events"]["query"]
    connection.execute(f"create view events as {query}")
    return connection


def number(db: duckdb.DuckDBPyConnection, query: str) -> float:
    ((found,),) = db.execute(query).fetchall()
    return float(found)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(folder.rglob("*.parquet"))
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_the_bytes_depend_on_the_seed_only(tmp_path: Path) -> None:
    for run, seed in (("one", 3), ("two", 3), ("three", 4)):
        generate_sample_company(tmp_path / run / "raw", tmp_path / run / "truth", 150, seed)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    differing = digests(tmp_path / "three")
    assert all(value != differing[name] for name, value in digests(tmp_path / "one").items())


def test_a_full_block_does_not_depend_on_the_number_of_customers(
    company: Path, tmp_path: Path
) -> None:
    generate_sample_company(tmp_path / "raw", tmp_path / "truth", BLOCK, SEED)
    for path in company.glob("*/*.parquet"):
        fewer = pq.read_table(tmp_path / path.parent.name / path.name)
        assert pq.ParquetFile(path).read_row_group(0).equals(fewer), path.name


def test_an_aborted_run_leaves_the_old_data_intact(tmp_path: Path) -> None:
    raw, truth = tmp_path / "raw", tmp_path / "truth"
    generate_sample_company(raw, truth, 100)
    before = digests(tmp_path)

    def broken(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_sample_company(raw, truth, 120, progress=broken)
    assert before.items() <= digests(tmp_path).items()
    raw.rename(tmp_path / "raw.former")  # killed between the two renames
    generate_sample_company(raw, truth, 100)
    assert digests(tmp_path) == before


@pytest.mark.parametrize(("customers", "seed"), [(99, 7), (0, 7), (5_000_001, 7), (100, -1)])
def test_invalid_counts_and_seeds_are_refused(tmp_path: Path, customers: int, seed: int) -> None:
    with pytest.raises(ConfigRefused, match=str(customers) if seed == 7 else str(seed)):
        generate_sample_company(tmp_path / "raw", tmp_path / "truth", customers, seed)
    assert not list(tmp_path.iterdir())


def test_progress_and_row_counts(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    rows = generate_sample_company(
        tmp_path / "raw", tmp_path / "truth", 100, progress=lambda *now: calls.append(now)
    )
    assert calls == [(100, 100)]
    files = {path.stem: pq.read_metadata(path).num_rows for path in tmp_path.glob("*/*.parquet")}
    assert rows == files


def test_every_kind_of_event_occurs(db: duckdb.DuckDBPyConnection) -> None:
    kinds = db.execute("select kind, count(*) from events group by 1").fetchall()
    assert {kind for kind, _ in kinds} == KINDS
    assert 30 < sum(count for _, count in kinds) / CUSTOMERS < 65


def test_only_payments_follow_a_cancellation(db: duckdb.DuckDBPyConnection) -> None:
    after = db.execute(
        """with gone as
            (select account_no, happened_at as left_at from events where kind = 'cancel')
        select distinct kind from events join gone using (account_no) where happened_at > left_at
        union select 'survey' from surveys join gone using (account_no)
              where sent_at > left_at or answered_at > left_at
        union select 'ticket' from tickets join gone using (account_no)
              where opened_at > left_at or closed_at > left_at or first_reply_at > left_at
        union select 'version' from crm_accounts join gone using (account_no)
              where changed_at > left_at"""
    ).fetchall()
    assert after == [("payment",)]


def test_all_times_lie_in_the_history(company: Path) -> None:
    for path in company.glob("raw/*.parquet"):
        table = pq.read_table(path)
        for field in table.schema:
            if field.name.endswith("_at") and field.name not in ("due_at", "promised_at"):
                moments = table[field.name].drop_null().to_numpy()
                start, end = np.datetime64("2024-07-01"), np.datetime64("2026-07-01")
                assert str(field.type) == "timestamp[us, tz=UTC]", field
                assert moments.min() >= start, field
                assert moments.max() < end, field


def test_times_within_a_row_are_ordered(db: duckdb.DuckDBPyConnection) -> None:
    wrong = """select (select count(*) from tickets where first_reply_at < opened_at
        or closed_at < first_reply_at) + (select count(*) from surveys where answered_at < sent_at
        or (answered_at is null) <> (score is null)) + (select count(*) from events
        where booked_at < happened_at)"""
    assert number(db, wrong) == 0
    assert number(db, "select count(*) from contracts where status = 'signed'") > 0.2 * CUSTOMERS


def test_some_rows_are_booked_late(db: duckdb.DuckDBPyConnection) -> None:
    late = "select avg((booked_at > happened_at + interval 1 hour)::int) from events where kind = "
    assert 0.03 < number(db, late + "'order'") < 0.09
    assert 0.25 < number(db, late + "'visit'") < 0.45


def test_customers_present_at_the_start(db: duckdb.DuckDBPyConnection) -> None:
    share = "select avg((status = 'carried_over')::int) from contracts where status in "
    assert 0.66 < number(db, share + "('carried_over', 'signed')") < 0.74
    versions = "select count(*) / count(distinct account_no) from crm_accounts"
    assert 1.5 < number(db, versions) < 4


def test_the_canary_is_marked_and_never_mapped(db: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select distinct account_no, name, phone, email from crm_accounts where name ^@ 'CANARY'"
    )
    assert db.execute(query).fetchall() == [
        ("A0000000", "CANARY Quietwater Ltd", "+000-CANARY-4711", "canary@canary.invalid")
    ]
    columns = tomllib.loads((HOME / "data/sample.toml").read_text())["tables"]["customers"][
        "columns"
    ]
    assert not {"name", "phone", "email"} & set(columns.values())


def test_the_mapping_fits_the_tables(db: duckdb.DuckDBPyConnection) -> None:
    tables = tomllib.loads((HOME / "data/sample.toml").read_text())["tables"]
    for name, table in tables.items():
        source = "events" if name == "events" else table["files"].removesuffix(".parquet")
        columns = ", ".join(f'{expr} as "{column}"' for column, expr in table["columns"].items())
        found = db.sql(f"select {columns} from {source} limit 5").to_arrow_table()
        assert found.num_rows == 5, name
    assert number(db, "select max(amount) from events where kind = 'return'") < 0
    assert number(db, "select min(amount) from events where kind in ('order', 'payment')") > 0


def test_satisfied_customers_answer_more_often(db: duckdb.DuckDBPyConnection) -> None:
    nps = """select 100 * avg(case when answer >= 9 then 1 when answer <= 6 then -1 else 0 end)
        from answers where instrument = 'nps'"""
    assert 0.25 < number(db, "select avg(answered::int) from answers") < 0.35
    assert number(db, nps + " and answered") - number(db, nps) > 5
    expected = number(db, "select avg(response_probability) from answers")
    # A cancellation or the end of the history comes before a few of the answers.
    assert -0.01 < expected - number(db, "select avg(answered::int) from answers") < 0.03


def test_given_answers_equal_the_ground_truth(db: duckdb.DuckDBPyConnection) -> None:
    unequal = """select count(*) from surveys s join answers a
        using (account_no, sent_at, instrument, dimension) where score <> answer"""
    assert number(db, unequal) == 0
    assert number(db, "select count(*) from surveys") == number(db, "select count(*) from answers")
    levels = "select count(distinct answer) from answers where answer between 0 and 10 and "
    assert number(db, levels + "instrument = 'csat'") == 5
    assert 9 <= number(db, levels + "instrument = 'nps'") <= 11


def test_comments_are_in_both_languages_and_follow_the_answer(
    db: duckdb.DuckDBPyConnection,
) -> None:
    chinese = r"regexp_matches(comment, '\p{Han}')"
    both = f"select avg({chinese}::int) from surveys where comment is not null"
    assert 0.3 < number(db, both) < 0.7
    assert number(db, "select count(distinct comment) from surveys") > 1000
    unhappy = """select avg((comment like '%satisfied%' or comment like '%Keep it up%')::int)
        from surveys where instrument = 'csat' and score <= 2 and comment not like '%not satisfied%'
        """
    assert number(db, unhappy) == 0
    assert 2000 < len(set(all_texts())) < 20_000


def test_the_ground_truth_is_calibrated(db: duckdb.DuckDBPyConnection) -> None:
    seen = db.sql(OUTCOMES).fetchnumpy()
    churned, probability = seen["churned"].astype(float), seen["churn_probability"]
    assert 0.06 < churned.mean() < 0.10
    # The cutoffs overlap by two thirds: about a third of the rows are independent.
    error = np.sqrt(3 * probability.mean() / len(churned))
    assert abs(churned.mean() - probability.mean()) < 3 * error
    assert seen["value"].mean() == pytest.approx(seen["expected_value"].mean(), rel=0.05)
    assert 0.78 < roc_auc_score(churned, probability) < 0.85
    for tenth in np.array_split(np.argsort(probability), 10):
        spread = np.sqrt(3 * probability[tenth].mean() / len(tenth))
        assert abs(churned[tenth].mean() - probability[tenth].mean()) < 4 * spread


def test_value_is_heavy_tailed_with_zeros(db: duckdb.DuckDBPyConnection) -> None:
    value = db.sql(OUTCOMES).fetchnumpy()["value"]
    assert 0.1 < (value == 0).mean() < 0.5
    best = np.sort(value)[-len(value) // 20 :]
    assert best.sum() > 0.3 * value.sum()


def test_the_state_table_covers_every_customer_and_month(db: duckdb.DuckDBPyConnection) -> None:
    assert number(db, "select count(*) from state") == CUSTOMERS * len(monthly_cutoffs())
    assert len(monthly_cutoffs()) == 22
    assert number(db, "select count(*) from state where active <> (satisfaction is not null)") == 0


def brute_force(
    traits: CustomerTraits, state: float, start: int, replicates: int
) -> tuple[Any, Any]:
    """Churn and value over the horizon by brute-force simulation, week by week."""
    rng = np.random.default_rng(5)
    many = traits.only(np.repeat(np.arange(len(traits.joined)), replicates))
    s = np.full(len(many.joined), state)
    cancelled, value = np.full(len(s), np.inf), np.zeros(len(s))
    end = start + HORIZON
    for week in range(start // 7, int(end // 7) + 1):
        begin, last = np.full(len(s), 7.0 * week), np.minimum(7.0 * week + 7, end)
        now = WeekStart(week, s, begin, cancelled)
        cancelled = draw_cancellation(rng, many, PARAMETERS, now)
        share = now.active * (np.minimum(cancelled, last) - begin) / 7
        counts = draw_week_counts(rng, many, PARAMETERS, now, np.maximum(share, 0.0))
        kept = 1 - PARAMETERS.refund_mean * parameters.return_probability(PARAMETERS, s)
        value += counts["order"] * parameters.mean_amount(PARAMETERS, many, s) * kept
        s = many.baseline + PARAMETERS.persistence * (s - many.baseline)
        noise = PARAMETERS.noise_sd * rng.standard_normal(len(s))
        s = np.clip(
            s + satisfaction_effects(PARAMETERS, many, counts, week) + noise,
            -parameters.EXTREME,
            parameters.EXTREME,
        )
    shape = (len(traits.joined), replicates)
    return (cancelled < end).reshape(shape), value.reshape(shape)


@pytest.mark.parametrize("state", [-1.0, 0.5])
def test_expected_outcomes_agree_with_brute_force(state: float) -> None:
    traits = draw_traits(np.random.default_rng(2), 60, PARAMETERS)
    ahead = expected_outcomes(PARAMETERS, traits, np.full(60, state), 364.0)
    churned, value = brute_force(traits, state, 364, 2000)
    error = np.sqrt(ahead.churn * (1 - ahead.churn) / 2000)
    assert np.abs((churned.mean(axis=1) - ahead.churn) / error).mean() < 1.2
    assert churned.mean() == pytest.approx(ahead.churn.mean(), abs=0.003)
    assert (value.mean(axis=1) / ahead.value).mean() == pytest.approx(1, abs=0.02)


def test_the_moments_of_a_weeks_effects_are_exact() -> None:
    traits = draw_traits(np.random.default_rng(4), 20_000, PARAMETERS)
    histories = simulate_weeks(np.random.default_rng(6), traits, PARAMETERS)
    for week in (3, 24, 79):
        whole = histories.stop[week] - histories.begin[week] == 7
        state = histories.satisfaction[week][whole]
        drawn = satisfaction_effects(
            PARAMETERS, traits, {k: c[week] for k, c in histories.counts.items()}, week
        )
        mean, variance = effect_moments(PARAMETERS, traits.only(whole), state, week)
        left = drawn[whole] - mean
        assert abs(left.mean()) < 4 * np.sqrt(variance.mean() / whole.sum())
        assert left.var() == pytest.approx(variance.mean(), rel=0.15)


def test_every_parameter_is_documented_with_its_value() -> None:
    page = (HOME / "docs/background/sample-company.md").read_text(encoding="utf-8")
    missing = [
        field.name
        for field in fields(parameters.SimulationParameters)
        if f"| `{field.name}` | {getattr(PARAMETERS, field.name)} |" not in page
    ]
    assert not missing
    assert all(moment.tzinfo for moment in monthly_cutoffs())
    assert monthly_cutoffs()[0] - parameters.START == timedelta(days=92)
