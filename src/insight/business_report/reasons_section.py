"""Why a customer is on the list: the few factors behind his predictions, in the report's language."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.dataset as ds

from features.errors import DataRefused
from insight.business_report.translations import Language
from insight.report_facts import ReportFacts
from models.bundles.champions import match_comment_model, snapshot_comment_model
from models.explain.reasons import Explainer
from models.explain.reasons_table import reason_table
from models.scoring.batch_reasons import TOP

#: Factors of a prediction looked at; some of them are good signs.
LOOKED_AT = 8
#: Which way a factor worsens a prediction, by target, the most pressing first; where nothing else is
#: predicted, what makes a customer valuable.
WORSE = {"churn": 1.0, "satisfaction": -1.0, "nps": -1.0}
VALUABLE = {"value": 1.0}


def call_reasons(facts: ReportFacts, customers: Sequence[str], language: Language) -> dict[str, list[str]]:
    """At most three sentences a customer: what makes him likely to leave or unhappy.

    Of whom nothing does among the strongest factors, what moves his predictions most.
    Read from the reasons file where it is of the models that serve, else worked out for these customers.
    Customers without a snapshot, and a company without models, have none.
    """
    path = facts.workspace.scores(facts.company.name).with_name("reasons.parquet")
    table = _written(path, facts, customers)
    if table is None:
        table = _worked_out(facts, customers)
    if table is None or table.empty:
        return {}
    way = WORSE if table["target"].isin(list(WORSE)).any() else VALUABLE
    worse = table[table["contribution"] * table["target"].map(way) > 0]
    order = {target: place for place, target in enumerate(way)}
    content = table[
        ~table["customer_id"].isin(worse["customer_id"]) & table["target"].isin(list(way))
    ]
    shown = pd.concat([worse, content])
    shown = shown.assign(place=shown["target"].map(order)).sort_values(["rank", "place"])
    shown = shown.drop_duplicates(["customer_id", "feature"])
    told: dict[str, list[str]] = {}
    for who, text in zip(shown["customer_id"], shown[f"text_{language}"], strict=True):
        told.setdefault(str(who), []).append(str(text))
    return {who: texts[:TOP] for who, texts in told.items()}


def _written(path: Path, facts: ReportFacts, customers: Sequence[str]) -> pd.DataFrame | None:
    """The rows of the reasons file; None without one, or where it is older than the scores."""
    scores = facts.workspace.scores(facts.company.name)
    if not path.exists() or path.stat().st_mtime < scores.stat().st_mtime:
        return None
    found = ds.dataset(path).to_table(filter=ds.field("customer_id").isin(list(customers)))
    table: pd.DataFrame = found.to_pandas()
    return table


def _worked_out(facts: ReportFacts, customers: Sequence[str]) -> pd.DataFrame | None:
    snapshot = facts.workspace.features(facts.company.name) / "snapshot.parquet"
    if not snapshot.exists():
        return None
    bundles, _ = match_comment_model(facts.bundles, snapshot_comment_model(snapshot))
    who = ds.field("customer_id").cast("string").isin(list(customers))
    features = ds.dataset(snapshot).to_table(filter=who)
    told = []
    for bundle in bundles.values():
        try:
            told.append(reason_table(Explainer(bundle), features, LOOKED_AT).to_pandas())
        except (DataRefused, KeyError):  # a snapshot of another plan than the model's
            continue
    return pd.concat(told) if told else None
