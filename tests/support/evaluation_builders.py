"""A small evaluation of the customers `C-0` to `C-999`: two indicators, three tiers, some migration."""

import tempfile
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.atomic_write import atomic_path
from insight.evaluation.evaluation_files import STATUS_FILE, write_evaluation
from insight.evaluation.evaluation_schema import (
    CompanyEvaluation,
    DimensionWeight,
    MigrationCause,
    MigrationMatrix,
    Segment,
    ValueScoreSummary,
)
from insight.evaluation.indicator_schema import (
    ChangeVerdict,
    GroupValue,
    HiddenGroups,
    Indicator,
    IndicatorAlert,
    IndicatorForecast,
    IndicatorGoal,
    IndicatorLevel,
    IntervalEstimate,
    PeriodValue,
)
from serve.scoring.evaluation_cache import EvaluationCache, ServedEvaluation

AS_OF = datetime(2025, 6, 30, tzinfo=UTC)
SINCE = datetime(2025, 4, 15, tzinfo=UTC)
#: Not exactly representable as a short decimal, so that a rounded answer is detected.
SHARE = 0.1 + 0.2 + 0.4

_LEVELS = {"A": "priority", "B": "plus", "C": "standard"}
_MANAGERS = {"A": "dedicated", "B": "shared", "C": "none"}
_HOURS = {"A": 2.0, "B": 8.0, "C": 24.0}


def evaluation(company: str = "testing", as_of: datetime = AS_OF) -> CompanyEvaluation:
    """The evaluation of all customers."""
    return CompanyEvaluation(
        company=company,
        made_at=datetime(2025, 7, 1, 4, 10, tzinfo=UTC),
        as_of=as_of,
        fingerprint="f",
        versions={"value": "7"},
        currency="EUR",
        period="month",
        indicators=[_csat(), _nps()],
        not_measured={"ces": "no question of this kind was asked"},
        alerts=[
            IndicatorAlert(indicator="csat", by="region", group="north", period=date(2025, 5, 1),
                  kind="jump", value=0.41, expected=SHARE, errors_off=-4.2,
                  since=date(2025, 5, 1))
        ],
        too_young=1,
        segments=[
            *(Segment(by="tier", name=t, customers=n, share=n / 1000, expected_value=1234.5 * n,
                      share_of_value=n / 1000, satisfaction=71.0, churn_probability=0.2)
              for t, n in (("A", 334), ("B", 333), ("C", 333))),
            Segment(by="group", name="frequent, loyal", customers=1000, share=1.0,
                    rule="orders_90d over 3", rule_share=0.9, rule_reach=0.8),
        ],
        stability=0.93,
        tiers=MigrationMatrix(since=SINCE, until=as_of, before=["A", "B", "C"], after=["A", "B", "C"],
                    customers=[[330, 3, 0], [4, 328, 1], [0, 2, 332]], moved=0.01,
                    causes=[MigrationCause(cause="contribution", up=6, down=4, other=0)]),
        value=ValueScoreSummary(method="ahp", version="0a1b2c3d", drawn=AS_OF,
                    weights=[DimensionWeight(dimension="loyalty",
                                             by_method={"ahp": 0.3, "entropy": 0.4})],
                    top_changed=0.12, left_out={"dso": "no customer has this metric"},
                    scored=999, unscored=1),
        skipped={"complaints": "the company has no tickets"},
    )  # fmt: skip


def _csat() -> Indicator:
    months = [
        PeriodValue(period=date(2025, m, 1), value=SHARE - (5 - m) / 30, low=0.6, high=0.8, asked=90,
              answered=30) for m in range(1, 6)
    ]  # fmt: skip
    cells = [
        GroupValue(by=by, group=group, value=SHARE / 3, low=0.1, high=None, asked=40, answered=12,
             coverage=0.3, customers=11, everybody=IntervalEstimate(value=0.2, low=0.1, high=0.3))
        for by, group in (("region", "north"), ("region", "south"), ("channel", "web"))
    ]  # fmt: skip
    return Indicator(
        name="csat", title="Satisfied answers", unit="share", kind="rate",
        period=date(2025, 5, 1), value=SHARE, low=0.6, high=0.8, asked=90, answered=30,
        coverage=1 / 3, customers=29, before=0.66, moved="no", year=0.65,
        verdict=ChangeVerdict(
            kind="usual", direction="no", expected=0.69, low=0.5, high=0.88, since=date(2023, 1, 1),
            errors_off=0.1, chance=0.9, levels=[IndicatorLevel(since=date(2023, 1, 1), value=0.69)],
        ),
        everybody=IntervalEstimate(value=0.6, low=0.5, high=0.7),
        goal=IndicatorGoal(target=0.75, better="higher", until="2025-12", owner="service",
                           verdict="missed",
                  gap=0.75 - SHARE),
        over_time=months,
        forecast=IndicatorForecast(method="ets", skill=0.1, trials=12, points=[
            PeriodValue(period=date(2025, 6, 1), value=0.7, low=0.5, high=0.9, asked=0, answered=0)]),
        cells=cells, hidden={"region": HiddenGroups(cells=2, answers=7)},
    )  # fmt: skip


def _nps() -> Indicator:
    return Indicator(
        name="nps", title="Net promoter score", unit="points", kind="mean",
        period=date(2025, 5, 1), value=-12.3, low=None, high=None, asked=90, answered=20,
        coverage=2 / 9, customers=20, why_not="too few answers", no_forecast="fewer than 24 periods",
    )  # fmt: skip


def standing(as_of: datetime = AS_OF, named: str = "C-{}") -> pa.Table:
    """One row per customer, shuffled, alternating tiers; C-7 rose, C-9 has no value score."""
    order = [(7 * n) % 1000 for n in range(1000)]
    tiers = [None if n == 9 else "ABC"[n % 3] for n in order]
    times = pa.timestamp("us", "UTC")
    columns: dict[str, Any] = {
        "customer_id": [named.format(n) for n in order],
        "as_of": pa.array([as_of] * 1000, times),
        "value_score": [None if n == 9 else n / 10.7 for n in order],
        "value_score_low": [None if n == 9 else n / 11.7 for n in order],
        "value_score_high": [None if n == 9 else n / 9.7 for n in order],
        "tier": tiers,
        "leaning": [""] * 1000,
        "stars": [None if n == 9 else float(n % 5 + 1) for n in order],
        "stage": ["at_risk"] * 1000,
        "stage_cause": ["no sign for 93 days"] * 1000,
        "quadrant": ["secure"] * 1000,
        "service_level": [_LEVELS.get(t or "") for t in tiers],
        "manager": [_MANAGERS.get(t or "") for t in tiers],
        "first_reply_hours": [_HOURS.get(t or "") for t in tiers],
        "tier_before": ["C" if n == 7 else t for n, t in zip(order, tiers, strict=True)],
        "tier_since": pa.array([SINCE if n == 7 else None for n in order], times),
        "moved_because": ["contribution" if n == 7 else None for n in order],
    }
    return pa.table(columns)


def write(
    folder: Path, company: str = "testing", as_of: datetime = AS_OF, named: str = "C-{}"
) -> None:
    """Write the two files of `goodwill evaluate`."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / STATUS_FILE) as temporary:
        pq.write_table(standing(as_of, named), temporary)
    write_evaluation(folder, evaluation(company, as_of))


@cache
def evaluated(named: str = "C-{}") -> ServedEvaluation:
    """The evaluation as the service holds it; `named` is the format of an id."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), named=named)
        cache = EvaluationCache("testing")
        cache.refresh(Path(folder))
        return cache.current
