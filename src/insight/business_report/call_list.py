"""The customers to call this week: the most revenue at risk first, with reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from features.errors import DataRefused
from features.execution.partitions import open_parquet
from features.formatting import Language, close_up_percent
from insight.business_report.report_inputs import ReportInputs
from insight.calls.call_ranking import rank_by_risk
from insight.calls.reason_order import urgent_signs
from insight.report_facts import ReportFacts, ScoreColumns
from insight.value.expected_totals import ExpectedTotal, expected_total
from models.bundles.champions import match_comment_model, snapshot_comment_model
from models.evaluation.sum_errors import SumErrors
from models.explain.reasons import Explainer
from models.explain.reasons_table import reason_table
from models.scoring.batch_reasons import TOP

#: Factors of a prediction that are considered; some of them improve it.
CONSIDERED = 8
#: Customers on the list.
LISTED = 15


@dataclass(frozen=True)
class CallListEntry:
    """A customer of the list; a text is empty where the value is not known."""

    customer: str
    tier: str
    stars: int
    stage: str
    value: str
    value_order: float
    churn: str
    churn_order: float
    dissatisfied: str
    dissatisfied_order: float
    service: str
    reasons: list[str]


@dataclass(frozen=True)
class CallList:
    """The list, a sentence on its order, one on all revenue at risk, and which columns have values."""

    order: str
    at_risk: str
    entries: list[CallListEntry]
    has: dict[str, bool]
    tiers: list[str]


def call_list(inputs: ReportInputs) -> CallList | None:
    """The first customers to call; None before the first scoring."""
    scores = inputs.facts.scores
    if scores is None:
        return None
    ranked, order = _ranked(scores)
    table = ranked.head(LISTED)
    if inputs.status is not None:
        status = inputs.status
        table = table.join(status[status.columns.difference(table.columns)])
    reasons = call_reasons(inputs.facts, list(table.index), inputs.translate.language)
    entries = [
        _entry(str(customer), row, reasons.get(str(customer), []), inputs)
        for customer, row in zip(table.index, table.to_dict("records"), strict=True)
    ]
    has = {
        name: any(getattr(e, name) for e in entries)
        for name in (
            "tier",
            "stars",
            "stage",
            "value",
            "churn",
            "dissatisfied",
            "service",
            "reasons",
        )
    }
    tiers = sorted({e.tier for e in entries if e.tier})
    days = inputs.facts.company.target("value").horizon_days
    return CallList(
        inputs.translate(f"calls_{order}", days=days),
        _at_risk(ranked, days, inputs),
        entries,
        has,
        tiers,
    )


def _at_risk(ranked: pd.DataFrame, days: int, inputs: ReportInputs) -> str:
    """The expected revenue of all current customers, and how much of it is at risk, in a sentence."""
    if not {"value", "churn"} <= set(ranked):
        return ""
    expected, churn = (ranked[n].to_numpy(np.float64) for n in ("value", "churn"))
    bundle = inputs.facts.bundles.get("value")
    stored = bundle.manifest.sums if bundle else None
    errors = SumErrors.from_dict(stored) if stored else None
    total, lost = (expected_total(expected, errors, share) for share in (1.0, churn))
    currency = inputs.facts.company.info.currency
    return inputs.translate(
        "calls_at_risk", days=days, currency=currency,
        total=_total(total, inputs), lost=_total(lost, inputs),
    )  # fmt: skip


def _total(total: ExpectedTotal, inputs: ReportInputs) -> str:
    numbers = inputs.numbers
    text = numbers.amount(total.value)
    if total.low is None or total.high is None:
        return text
    ends = numbers.interval(numbers.amount(total.low), numbers.amount(total.high))
    return inputs.translate("with_interval", value=text, interval=ends)


def _ranked(scores: ScoreColumns) -> tuple[pd.DataFrame, str]:
    """The current customers with their predictions in the order of the list, and the order's name."""
    ranking = rank_by_risk(scores.columns, len(scores))
    ids = scores.columns["customer_id"][ranking.rows]
    index = pd.Index([str(i) for i in ids], name="customer_id")
    return pd.DataFrame(ranking.predicted, index=index), ranking.by


def _entry(
    customer: str, row: dict[Any, Any], reasons: list[str], inputs: ReportInputs
) -> CallListEntry:
    translate, numbers = inputs.translate, inputs.numbers
    value, churn, dissatisfied = (_number(row.get(n)) for n in ("value", "churn", "dissatisfied"))
    stage = _text(row.get("stage"))
    stars = _number(row.get("stars"))
    return CallListEntry(
        customer=customer,
        tier=_text(row.get("tier")),
        stars=0 if stars is None else int(stars),
        stage=translate.name("stage", stage) if stage else "",
        value="" if value is None else numbers.amount(value),
        value_order=value or 0.0,
        churn="" if churn is None else numbers.percent(churn, 0),
        churn_order=churn or 0.0,
        dissatisfied="" if dissatisfied is None else numbers.percent(dissatisfied, 0),
        dissatisfied_order=dissatisfied or 0.0,
        service=_service(row, inputs),
        reasons=reasons,
    )


def _service(row: dict[Any, Any], inputs: ReportInputs) -> str:
    """The service policy of the customer's tier: level and hours to the first reply."""
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


def call_reasons(
    facts: ReportFacts, customers: Sequence[str], language: Language
) -> dict[str, list[str]]:
    """At most three sentences for each customer: why they may leave or be dissatisfied.

    If no strong factor worsens a customer's predictions, the strongest factors of any sign. Read from
    the reasons file if it is newer than the scores, otherwise computed for these customers. Empty
    without a snapshot or without models.
    """
    path = facts.workspace.scores(facts.company.name).with_name("reasons.parquet")
    table = _stored_reasons(path, facts, customers)
    if table is None:
        table = _computed_reasons(facts, customers)
    if table is None or table.empty:
        return {}
    sign = urgent_signs(set(table["target"]))
    worse = table[table["contribution"] * table["target"].map(sign) > 0]
    order = {target: place for place, target in enumerate(sign)}
    others = table[
        ~table["customer_id"].isin(worse["customer_id"]) & table["target"].isin(list(sign))
    ]
    shown = pd.concat([worse, others])
    shown = shown.assign(place=shown["target"].map(order)).sort_values(["rank", "place"])
    shown = shown.drop_duplicates(["customer_id", "feature"])
    reasons: dict[str, list[str]] = {}
    for customer, text in zip(shown["customer_id"], shown[f"text_{language}"], strict=True):
        reasons.setdefault(str(customer), []).append(close_up_percent(str(text)))
    return {customer: texts[:TOP] for customer, texts in reasons.items()}


def _stored_reasons(
    path: Path, facts: ReportFacts, customers: Sequence[str]
) -> pd.DataFrame | None:
    """The customers' rows of the reasons file; None without a file newer than the scores."""
    scores = facts.workspace.scores(facts.company.name)
    if not path.exists() or path.stat().st_mtime < scores.stat().st_mtime:
        return None
    found = open_parquet(path).to_table(filter=pc.field("customer_id").isin(list(customers)))
    table: pd.DataFrame = found.to_pandas()
    return table


def _computed_reasons(facts: ReportFacts, customers: Sequence[str]) -> pd.DataFrame | None:
    snapshot = facts.workspace.features(facts.company.name) / "snapshot.parquet"
    if not snapshot.exists():
        return None
    bundles, _ = match_comment_model(facts.bundles, snapshot_comment_model(snapshot))
    wanted = pc.field("customer_id").cast("string").isin(list(customers))
    features = open_parquet(snapshot).to_table(filter=wanted)
    tables = []
    for bundle in bundles.values():
        try:
            tables.append(reason_table(Explainer(bundle), features, CONSIDERED).to_pandas())
        except (DataRefused, KeyError):  # the snapshot lacks features of the model
            continue
    return pd.concat(tables) if tables else None
