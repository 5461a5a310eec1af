"""The customers to call this week: the most revenue at risk first, with reasons."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pyarrow.compute as pc

from features.errors import DataRefused
from features.execution.partitions import open_parquet
from features.formatting import Language, close_up_percent
from features.settings import Settings
from insight.business_report.customer_attributes import customer_attributes
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.risk_ranking import RankedCustomers, rank_customers
from insight.calls.reason_order import listed_risk, urgent_signs
from insight.report_facts import ReportFacts
from models.bundles.champions import match_comment_model, snapshot_comment_model
from models.explain.reasons import Explainer
from models.explain.reasons_table import reason_table
from models.scoring.batch_reasons import TOP

#: Factors of a prediction that are considered; some of them improve it.
CONSIDERED = 8
#: Customers on the list, and reasons for each of them.
LISTED, SHOWN_REASONS = 15, 2


@dataclass(frozen=True)
class CallListEntry:
    """A customer of the list; a text is empty where the value is not known.

    `amount` is what the list is sorted by, `made_of` the predictions behind it; `link` is the address
    of the customer in the console.
    """

    customer: str
    link: str
    tier: str
    stage: str
    owner: str
    region: str
    amount: str
    amount_order: float
    made_of: str
    next_step: str
    reasons: list[str]


@dataclass(frozen=True)
class CallList:
    """The list: sentences on its order and use, the heading of the amount, columns with values.

    `summary` is the sentence for the top of the page, `reach` says in plain words how well the ranking
    finds those who leave.
    """

    order: str
    amount: str
    summary: str
    reach: str
    entries: list[CallListEntry]
    has: dict[str, bool]
    tiers: list[str]


def call_list(inputs: ReportInputs) -> CallList | None:
    """The first customers to call; None before the first scoring."""
    scores = inputs.facts.scores
    if scores is None:
        return None
    ranked = rank_customers(scores)
    table = ranked.table.head(LISTED)
    customers = [str(customer) for customer in table.index]
    for more in (inputs.status, customer_attributes(inputs.facts, customers)):
        if more is not None:
            table = table.join(more[more.columns.difference(table.columns)])
    rows = dict(zip(customers, table.to_dict("records"), strict=True))
    first = {c: listed_risk(row.get("churn"), row.get("dissatisfied")) for c, row in rows.items()}
    reasons = call_reasons(inputs.facts, first, inputs.translate.language)
    none = [inputs.translate("reason_none")] if reasons and ranked.is_money else []
    entries = [
        _entry(customer, row, reasons.get(customer, none), ranked, inputs)
        for customer, row in rows.items()
    ]
    columns = ("tier", "stage", "owner", "region", "next_step", "reasons")
    days = _horizon(inputs)
    return CallList(
        order=inputs.translate(f"calls_{ranked.by}", days=days, **_risk_days(inputs)),
        amount=_amount_heading(ranked, days, inputs),
        summary=_summary(ranked, days, inputs),
        reach=_reach(inputs),
        entries=entries,
        has={name: any(getattr(e, name) for e in entries) for name in columns},
        tiers=sorted({e.tier for e in entries if e.tier}),
    )


def _horizon(inputs: ReportInputs) -> int:
    """The days that the predictions look ahead: those of value, which amounts are for."""
    return inputs.facts.company.target("value").horizon_days


def _risk_days(inputs: ReportInputs) -> dict[str, int]:
    """The days within which each risk is predicted."""
    targets = ("churn", "satisfaction")
    return {f"{t}_days": inputs.facts.company.target(t).horizon_days for t in targets}


def _amount_heading(ranked: RankedCustomers, days: int, inputs: ReportInputs) -> str:
    currency = inputs.numbers.currency(inputs.facts.company.info.currency)
    if ranked.by == "value_only":
        return inputs.translate("expected_in", days=days, currency=currency)
    if ranked.is_money:
        return inputs.translate("at_risk_in", days=days, currency=currency)
    return inputs.translate("risk")


def _summary(ranked: RankedCustomers, days: int, inputs: ReportInputs) -> str:
    """Call the customers of the list: how much revenue of theirs is at risk."""
    translate, amounts = inputs.translate, ranked.table["amount"]
    count = min(LISTED, len(amounts))
    if not ranked.is_money or ranked.by == "value_only":
        return translate("call_them", n=count)
    top = float(amounts.head(LISTED).sum())
    amount = inputs.numbers.money(top, inputs.facts.company.info.currency)
    risks = translate(f"risks_{ranked.by.removeprefix('value_')}")
    return translate("call_them_for", n=count, amount=amount, days=days, risks=risks)


def _reach(inputs: ReportInputs) -> str:
    """Lift in plain words: the share of leavers among the tenth with the highest probability."""
    bundle = inputs.facts.bundles.get("churn")
    measures = bundle.about.measures.get("model", {}) if bundle and bundle.about else {}
    captured = measures.get("capture_10", {}).get("value")
    if captured is None:
        return ""
    return inputs.translate("reach", share=inputs.numbers.percent(captured, 0))


def _entry(
    customer: str,
    row: dict[Any, Any],
    reasons: list[str],
    ranked: RankedCustomers,
    inputs: ReportInputs,
) -> CallListEntry:
    translate, numbers = inputs.translate, inputs.numbers
    stage, region = _text(row.get("stage")), _text(row.get("region"))
    amount = float(row["amount"])
    return CallListEntry(
        customer=customer,
        link=f"{Settings().console_address}/#customer/{quote(customer, safe='')}",
        tier=_text(row.get("tier")),
        stage=translate.name("stage", stage) if stage else "",
        owner=_text(row.get("owner")),
        region=translate.name("region", region) if region else "",
        amount=numbers.amount(amount) if ranked.is_money else numbers.percent(amount, 0),
        amount_order=amount,
        made_of=_made_of(row, ranked, inputs),
        next_step=_next_step(row, inputs),
        reasons=reasons[:SHOWN_REASONS],
    )


def _made_of(row: dict[Any, Any], ranked: RankedCustomers, inputs: ReportInputs) -> str:
    """The predictions behind the amount: 1,000 × 25% churn."""
    numbers = inputs.numbers
    risks = {
        name: risk for name in ("churn", "dissatisfied")
        if (risk := _number(row.get(name))) is not None
    }  # fmt: skip
    if not risks:
        return ""
    name = max(risks, key=lambda each: risks[each])
    share = inputs.translate(f"probability_{name}", share=numbers.percent(risks[name], 0))
    value = _number(row.get("value"))
    if not ranked.is_money or value is None:
        return share
    return inputs.translate("value_times", value=numbers.amount(value), share=share)


def _next_step(row: dict[Any, Any], inputs: ReportInputs) -> str:
    """Who calls and how soon, by the service policy of the customer's tier."""
    manager, hours = _text(row.get("manager")), _number(row.get("first_reply_hours"))
    if not manager or hours is None:
        return ""
    return inputs.translate(f"step_{manager}", hours=f"{hours:g}")


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def call_reasons(
    facts: ReportFacts, first: Mapping[str, Collection[str]], language: Language
) -> dict[str, list[str]]:
    """At most three sentences for each customer: why they may leave or be dissatisfied.

    The first sentence is of the targets that `first` has for the customer, if one of their factors is
    strong. A customer has none if no strong factor worsens their predictions. Read from the reasons file
    if it is newer than the scores, otherwise computed for these customers. Empty without a snapshot or
    without models.
    """
    customers = list(first)
    path = facts.workspace.scores(facts.company.name).with_name("reasons.parquet")
    table = _stored_reasons(path, facts, customers)
    if table is None:
        table = _computed_reasons(facts, customers)
    if table is None or table.empty:
        return {}
    sign = urgent_signs(set(table["target"]))
    worse = table[table["contribution"] * table["target"].map(sign) > 0]
    order = {target: place for place, target in enumerate(sign)}
    shown = worse.assign(place=worse["target"].map(order))
    shown = shown.sort_values(["rank", "place"], ignore_index=True)
    of_risk = [t in first[c] for c, t in zip(shown["customer_id"], shown["target"], strict=True)]
    lead = shown[of_risk].drop_duplicates("customer_id")
    shown = pd.concat([lead, shown.drop(lead.index)])
    shown = shown.drop_duplicates(["customer_id", "feature"])
    reasons: dict[str, list[str]] = {}
    for customer, text in zip(shown["customer_id"], shown[f"text_{language}"], strict=True):
        reasons.setdefault(str(customer), []).append(close_up_percent(str(text)))
    return {c: list(dict.fromkeys(texts))[:TOP] for c, texts in reasons.items()}


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
