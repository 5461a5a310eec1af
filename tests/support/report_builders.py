"""Build an evaluation, customer status and complaints with every part that the report shows."""

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from insight.evaluation.business_schema import (
    CommentTopic,
    CustomerCohort,
    RevenueChange,
    RevenueOfMonth,
)
from insight.evaluation.evaluation_schema import (
    CompanyEvaluation,
    MigrationCause,
    MigrationMatrix,
    PdcaCycle,
    SatisfactionDriver,
    SatisfactionDrivers,
    Segment,
    TierPolicy,
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

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
QUARTERS = [date(2024 + n // 4, 1 + 3 * (n % 4), 1) for n in range(10)]
PAST, AHEAD = QUARTERS[:8], QUARTERS[8:]


def line(values: list[float], half: float, starts: list[date] = PAST) -> list[PeriodValue]:
    """Values by quarter with an interval of this half width."""
    return [
        PeriodValue(period=start, value=v, low=v - half, high=v + half, asked=200, answered=120)
        for start, v in zip(starts, values, strict=False)
    ]


def cell(by: str, group: str, value: float, half: float) -> GroupValue:
    return GroupValue(
        by=by,
        group=group,
        value=value,
        low=value - half,
        high=value + half,
        asked=90,
        answered=45,
        coverage=0.5,
        customers=40,
        everybody=IntervalEstimate(value=value - half / 2),
    )


def nps() -> Indicator:
    """Missed target, significant decrease, forecast, groups, and a hidden group."""
    ahead = IndicatorForecast(
        method="smoothed level", skill=0.21, trials=4, points=line([29.0, 28.5], 8.0, AHEAD)
    )
    near = ahead.model_copy(update={"points": line([21.0], 9.0, AHEAD)})
    return Indicator(
        name="nps",
        title="Net promoter score",
        unit="-100 to 100",
        kind="mean",
        period=PAST[-1],
        value=31.25,
        low=27.5,
        high=35.0,
        asked=200,
        answered=120,
        coverage=0.6,
        customers=100,
        before=40.0,
        moved="down",
        verdict=ChangeVerdict(
            kind="shift",
            direction="down",
            expected=42.0,
            low=36.0,
            high=48.0,
            since=PAST[-3],
            errors_off=-4.2,
            chance=0.0004,
            levels=[
                IndicatorLevel(since=PAST[0], value=43.2),
                IndicatorLevel(since=PAST[-3], value=37.4),
            ],
        ),
        year=34.0,
        everybody=IntervalEstimate(value=29.5, low=24.0, high=35.0),
        goal=IndicatorGoal(
            target=45.0,
            better="higher",
            until="2026-12-31",
            owner="service",
            verdict="missed",
            gap=13.75,
        ),
        over_time=line([44, 43, 45, 42, 44, 41, 40, 31.25], 5.0),
        forecast=ahead,
        cells=[
            cell("crm_region", "East China", 20.5, 6.0).model_copy(
                update={
                    "forecast": near,
                    "over_time": line([40, 42, 41, 39, 43, 41, 40, 20.5], 6.0),
                }
            ),
            cell("crm_region", "North America", 38.0, 7.0).model_copy(
                update={"over_time": line([36, 37, 38, 36, 35, 39, 37, 38], 7.0)}
            ),
            cell("channel", "email", 30.0, 4.0),
            cell("tier", "A", 42.0, 9.0),
        ],
        hidden={"crm_region": HiddenGroups(cells=2, answers=12)},
    )


def csat() -> Indicator:
    """Reached target, no forecast."""
    return Indicator(
        name="csat_index",
        title="Satisfaction index",
        unit="0 to 10",
        kind="mean",
        period=PAST[-1],
        value=7.62,
        low=7.5,
        high=7.74,
        asked=400,
        answered=240,
        coverage=0.6,
        customers=200,
        before=7.55,
        moved="no",
        verdict=ChangeVerdict(
            kind="usual",
            direction="no",
            expected=7.52,
            low=7.2,
            high=7.8,
            since=PAST[0],
            errors_off=0.9,
            chance=0.4,
            levels=[IndicatorLevel(since=PAST[0], value=7.52)],
        ),
        why_not="non-response has not been estimated yet",
        goal=IndicatorGoal(target=7.4, better="higher", verdict="reached", gap=0.0),
        over_time=line([7.4, 7.5, 7.5, 7.6, 7.5, 7.5, 7.55, 7.62], 0.12),
        no_forecast="8 periods; 12 are needed",
        cells=[
            cell("crm_region", "East China", 7.2, 0.2),
            cell("crm_region", "North America", 7.9, 0.2),
        ],
    )


def complaint() -> Indicator:
    """A share for which lower is better; significant increase, no target."""
    return Indicator(
        name="complaint",
        title="Customers who complained in the period",
        unit="share of customers",
        kind="rate",
        period=PAST[-1],
        value=0.084,
        low=0.07,
        high=0.1,
        asked=1500,
        answered=1500,
        coverage=1.0,
        customers=1500,
        before=0.06,
        moved="up",
        verdict=ChangeVerdict(
            kind="jump",
            direction="up",
            expected=0.0598,
            low=0.045,
            high=0.075,
            since=PAST[-1],
            errors_off=4.1,
            chance=0.0002,
            levels=[IndicatorLevel(since=PAST[0], value=0.0598)],
        ),
        over_time=line([0.06, 0.061, 0.06, 0.058, 0.06, 0.06, 0.06, 0.084], 0.01),
    )


def price() -> Indicator:
    """One dimension with a single period."""
    return Indicator(
        name="dimension",
        dimension="price",
        title="Satisfaction by dimension",
        unit="0 to 100",
        kind="mean",
        period=PAST[-1],
        value=61.0,
        low=None,
        high=None,
        asked=80,
        answered=40,
        coverage=0.5,
        customers=40,
    )


def drivers() -> SatisfactionDrivers:
    def driver(
        name: str, importance: float, performance: float, quadrant: str
    ) -> SatisfactionDriver:
        return SatisfactionDriver(
            name=name,
            effect=IntervalEstimate(
                value=importance, low=importance - 0.05, high=importance + 0.05
            ),
            importance=IntervalEstimate(
                value=importance, low=importance - 0.08, high=importance + 0.08
            ),
            performance=IntervalEstimate(
                value=performance, low=performance - 2, high=performance + 2
            ),
            quadrant=quadrant,
            clear=name != "price",
        )

    found = [
        driver("service", 0.41, 68.0, "concentrate here"),
        driver("product", 0.27, 79.0, "keep up the good work"),
        driver("delivery", 0.19, 66.0, "low priority"),
        driver("price", 0.13, 75.0, "possible overkill"),
    ]
    return SatisfactionDrivers(
        outcome="overall", rows=812, incomplete=40, explained=0.58, drivers=found
    )


def segments() -> list[Segment]:
    policy = TierPolicy(
        service_level="priority",
        manager="dedicated",
        first_reply_hours=2,
        visits_per_year=12,
        offers=["customised products"],
    )
    return [
        Segment(
            by="tier",
            name="A",
            customers=1,
            share=0.25,
            expected_value=1000.0,
            share_of_value=0.77,
            satisfaction=80.0,
            churn_probability=0.1,
            policy=policy,
        ),
        Segment(
            by="tier",
            name="B",
            customers=3,
            share=0.75,
            expected_value=296.0,
            share_of_value=0.23,
            satisfaction=40.0,
            churn_probability=0.55,
        ),
        Segment(by="stars", name="4", customers=1, share=0.25),
        Segment(by="stars", name="2", customers=3, share=0.75),
        Segment(by="stage", name="at_risk", customers=2, share=0.5),
        Segment(by="stage", name="lost", customers=2, share=0.5),
        Segment(
            by="group",
            name="A",
            customers=4,
            share=1.0,
            rule="price ≤ 62.5",
            rule_share=0.8,
            rule_reach=0.9,
        ),
    ]


def revenue() -> RevenueChange:
    """Half a year: clearly less than the half-year before, and much as a year ago."""
    starts = [date(2024 + n // 12, 1 + n % 12, 1) for n in range(24)]
    amounts = [100.0] * 6 + [200.0] * 6 + [260.0] * 6 + [210.0] * 6
    return RevenueChange(
        since=date(2025, 7, 1),
        until=date(2026, 1, 1),
        months=6,
        value=1260.0,
        before=1560.0,
        year_ago=1200.0,
        on_before=IntervalEstimate(value=-0.1923, low=-0.25, high=-0.13),
        on_year_ago=IntervalEstimate(value=0.05, low=-0.04, high=0.14),
        over_time=[
            RevenueOfMonth(month=start, value=amount)
            for start, amount in zip(starts, amounts, strict=True)
        ],
    )


def cohorts() -> list[CustomerCohort]:
    """Two quarters; the data begin in the first."""
    return [
        CustomerCohort(start=date(2025, 4, 1), earlier=True, customers=900, kept=[0.95, 0.8, 0.65]),
        CustomerCohort(start=date(2025, 7, 1), earlier=False, customers=120, kept=[0.9, 0.85]),
    ]


def comments() -> list[CommentTopic]:
    """More comments about delivery than a year ago; none to compare with about prices."""
    return [
        CommentTopic(
            topic="delivery",
            months=6,
            comments=80,
            customers=70,
            share=0.4,
            year_ago=0.28,
            change=IntervalEstimate(value=0.12, low=0.03, high=0.21),
            negative=0.55,
            examples={
                "en": ["The delivery was late again.", "Fast delivery."],
                "zh": ["交货总是迟到。"],
            },
        ),
        CommentTopic(topic="price", months=6, comments=40, customers=40, share=0.2, examples={}),
    ]


def moves() -> MigrationMatrix:
    return MigrationMatrix(
        since=datetime(2025, 12, 1, tzinfo=UTC),
        until=AS_OF,
        before=["A", "B"],
        after=["A", "B", "(left)"],
        customers=[[1, 1, 0], [0, 2, 0]],
        moved=0.25,
        plain=0.5,
        causes=[MigrationCause(cause="loyalty", up=0, down=1, other=0)],
        rebuilt=True,
    )


def evaluation(**changes: Any) -> CompanyEvaluation:
    """A complete evaluation of the test company."""
    whole: dict[str, Any] = {
        "company": "tiny",
        "made_at": AS_OF,
        "as_of": AS_OF,
        "fingerprint": "abc123",
        "versions": {},
        "currency": "EUR",
        "period": "quarter",
        "indicators": [complaint(), price(), nps(), csat()],
        "not_measured": {"effort": "no question of instrument ces was asked"},
        "alerts": [
            IndicatorAlert(
                indicator="complaint",
                by="all",
                group="all",
                period=PAST[-1],
                kind="jump",
                value=0.084,
                expected=0.0598,
                errors_off=4.1,
                since=PAST[-1],
                level=0.0598,
            ),
            IndicatorAlert(
                indicator="nps",
                by="all",
                group="all",
                period=PAST[-1],
                kind="shift",
                value=31.25,
                expected=42.0,
                errors_off=-4.2,
                since=PAST[-3],
                level=37.4,
            ),
            IndicatorAlert(
                indicator="nps",
                by="crm_region",
                group="East China",
                period=PAST[-1],
                kind="jump",
                value=20.5,
                expected=41.0,
                errors_off=-5.1,
                since=PAST[-1],
                level=41.0,
            ),
        ],
        "too_young": 3,
        "drivers": drivers(),
        "segments": segments(),
        "stability": 0.86,
        "tiers": moves(),
        "cycle": [
            PdcaCycle(
                indicator="csat_index",
                plan="at least 7.4",
                do="nothing logged",
                check="7.62 (7.5 to 7.74, n = 240): reached",
                act="hold it; raise the target",
                verdict="reached",
            ),
            PdcaCycle(
                indicator="nps",
                plan="at least 45 by 2026-12-31 (service)",
                do="call: 120 customers, 118 left alone",
                check="31.25 (27.5 to 35, n = 120): missed; call: no effect seen (analysed 2025-11-30)",
                act="repeat it larger, or try another",
                verdict="missed",
            ),
        ],
        "revenue": revenue(),
        "cohorts": cohorts(),
        "comments": comments(),
        "skipped": {"stages": "the company has no orders"},
    }
    return CompanyEvaluation(**(whole | changes))


def customer_status(customers: tuple[str, ...] = ("C1", "C2", "C3", "C4")) -> pd.DataFrame:
    """The status of the customers; the second customer is the best."""
    count = len(customers)
    return pd.DataFrame(
        {
            "customer_id": list(customers),
            "as_of": [AS_OF] * count,
            "value_score": [30.0 + 60 * (n % 4 == 1) + n % 17 for n in range(count)],
            "tier": ["A" if n % 4 == 1 else "B" for n in range(count)],
            "stars": [4 if n % 4 == 1 else 2 for n in range(count)],
            "stage": ["at_risk" if n % 2 == 0 else "active" for n in range(count)],
            "service_level": ["priority" if n % 4 == 1 else "plus" for n in range(count)],
            "manager": ["dedicated" if n % 4 == 1 else "shared" for n in range(count)],
            "first_reply_hours": [2.0 if n % 4 == 1 else 8.0 for n in range(count)],
        }
    )


def complaints() -> dict[str, Any]:
    """The content of complaints.json; the causes of churn are missing."""

    def found(value: float, low: float, high: float) -> dict[str, float]:
        return {"value": value, "low": low, "high": high}

    cause = {
        "rows": 900,
        "met": 200,
        "exposed": 0.22,
        "rate": 0.12,
        "rate_met": 0.2,
        "share": found(0.21, 0.17, 0.25),
        "effect": found(0.09, 0.07, 0.11),
        "naive_effect": 0.05,
        "e_value": 3.0,
        "beyond": 0.0,
        "certain": True,
    }
    doubtful = cause | {"share": found(-0.01, -0.05, 0.03), "certain": False}
    row = {"low": 0.5, "high": 0.7, "severity": 2.0}
    return {
        "company": "tiny",
        "end": AS_OF.isoformat(),
        "source": "tickets",
        "complaints": 50,
        "customers": 30,
        "skipped": {"churn": "there are no labels of churn"},
        "pareto": [
            row
            | {
                "category": "delivery",
                "count": 30.0,
                "share": 0.6,
                "cumulative": 0.6,
                "vital": True,
            },
            row
            | {"category": "price", "count": 20.0, "share": 0.4, "cumulative": 1.0, "vital": True},
        ],
        "cycle_times": [
            {
                "step": "first reply",
                "unit": "hours",
                "category": "all",
                "complaints": 50,
                "waiting": 2,
                "median": 14.4,
                "low": 13.0,
                "high": 15.9,
                "nine_in_ten": 102.3,
            },
        ],
        "reopened": [
            {
                "category": "all",
                "solved": 48,
                "reopened": 6,
                "rate": 0.125,
                "low": 0.05,
                "high": 0.25,
            }
        ],
        "causes": {
            "dissatisfaction": {
                "outcome": "dissatisfied",
                "rows": 900,
                "rate": 0.12,
                "ranked": [
                    {"cause": "late delivery", "branch": "delivery", **cause},
                    {"cause": "complaint: price", "branch": "complaints", **doubtful},
                ],
            }
        },
    }
