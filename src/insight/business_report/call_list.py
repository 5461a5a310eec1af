"""The customers to call this week: valuable ones who are likely to leave or unhappy, with reasons."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from insight.business_report.reasons_section import call_reasons
from insight.business_report.report_inputs import ReportInputs
from insight.report_facts import ScoreColumns

MOST = 15


@dataclass(frozen=True)
class CallListEntry:
    """A customer of the list; texts are empty where the company cannot tell."""

    customer: str
    tier: str
    stars: int
    stage: str
    value: str
    value_order: float
    leaves: str
    leaves_order: float
    unhappy: str
    unhappy_order: float
    served: str
    reasons: list[str]


@dataclass(frozen=True)
class CallList:
    """The list with how it is ordered and which columns it has."""

    order: str
    calls: list[CallListEntry]
    has: dict[str, bool]
    tiers: list[str]


def call_list(inputs: ReportInputs) -> CallList | None:
    """The first customers to call; None where nobody is scored."""
    scores = inputs.facts.scores
    if scores is None:
        return None
    table, order = _ranked(scores)
    table = table.head(MOST)
    if inputs.standing is not None:
        stands = inputs.standing
        table = table.join(stands[stands.columns.difference(table.columns)])
    told = call_reasons(inputs.facts, list(table.index), inputs.translate.language)
    calls = [
        _call(str(who), row, told.get(str(who), []), inputs)
        for who, row in zip(table.index, table.to_dict("records"), strict=True)
    ]
    has = {
        name: any(getattr(c, name) for c in calls)
        for name in ("tier", "stars", "stage", "value", "leaves", "unhappy", "served", "reasons")
    }
    tiers = sorted({c.tier for c in calls if c.tier})
    return CallList(inputs.translate(f"calls_{order}"), calls, has, tiers)


def _ranked(scores: ScoreColumns) -> tuple[pd.DataFrame, str]:
    """Current customers by what is at stake: their value times the greater of the two dangers.

    Without one of the three, by what is left.
    """
    columns = {
        "value": "value_expected", "leaves": "churn_probability",
        "unhappy": "satisfaction_dissatisfied", "detractor": "nps_detractor",
    }  # fmt: skip
    table = pd.DataFrame(
        {short: scores.numbers(name) for short, name in columns.items() if name in scores},
        index=pd.Index([str(i) for i in scores.columns["customer_id"]], name="customer_id"),
    )
    table = table[scores.current]
    if "unhappy" not in table and "detractor" in table:
        table["unhappy"] = table["detractor"]
    dangers = [name for name in ("leaves", "unhappy") if name in table]
    stake: Any = table[dangers].max(axis=1) if dangers else 1.0
    if "value" in table:
        stake = stake * table["value"].clip(lower=0)
    danger = "danger" if len(dangers) > 1 else dangers[0] if dangers else "only"
    order = f"{'value' if 'value' in table else 'any'}_{danger}"
    rank = np.argsort(-np.asarray(stake * np.ones(len(table)), np.float64), kind="stable")
    return table.iloc[rank], order


def _call(who: str, row: dict[Any, Any], reasons: list[str], inputs: ReportInputs) -> CallListEntry:
    translate, numbers = inputs.translate, inputs.numbers
    value, leaves, unhappy = (_number(row.get(n)) for n in ("value", "leaves", "unhappy"))
    stage = _text(row.get("stage"))
    stars = _number(row.get("stars"))
    return CallListEntry(
        customer=who,
        tier=_text(row.get("tier")),
        stars=0 if stars is None else int(stars),
        stage=translate.name("stage", stage) if stage else "",
        value="" if value is None else numbers.amount(value),
        value_order=value or 0.0,
        leaves="" if leaves is None else numbers.percent(leaves, 0),
        leaves_order=leaves or 0.0,
        unhappy="" if unhappy is None else numbers.percent(unhappy, 0),
        unhappy_order=unhappy or 0.0,
        served=_served(row, inputs),
        reasons=reasons,
    )


def _served(row: dict[Any, Any], inputs: ReportInputs) -> str:
    """What the customer's tier is served with: level and hours to the first reply."""
    level, hours = _text(row.get("service_level")), _number(row.get("first_reply_hours"))
    if not level:
        return ""
    name = inputs.translate.name("service", level)
    if hours is None:
        return name
    return inputs.translate("served", level=name, hours=f"{hours:g}")


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)
