"""What came in and what was left out, rule by rule; and the features made of it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
from pyarrow.dataset import dataset

from features.feature_table import plan_for
from features.history_store import Manifest
from features.row_audit import ledger_of
from features.text.comment_score_model import Tone
from insight.data_quality_report.data_quality_page import ledger_rows
from insight.formatting.display_names import TITLES
from insight.formatting.numbers import MISSING, count, share
from insight.report_facts import Facts


@dataclass(frozen=True)
class LeftOut:
    """Rows of a table a rule kept out: `way` is dropped (on purpose) or quarantined (broken)."""

    table: str
    way: str
    rule: str
    rows: int


@dataclass(frozen=True)
class FeatureLine:
    """A feature for people: its column, meaning, unit, how often it is missing, who reads it."""

    name: str
    meaning: str
    unit: str
    missing: str
    read_by: str


def left_out(manifest: Manifest) -> list[LeftOut]:
    """Every rule of the ledger that kept out at least one row."""
    found = [
        LeftOut(table, way, rule, rows)
        for way, ledger in (("dropped", manifest.dropped), ("quarantined", manifest.quarantined))
        for table, rules in ledger.items()
        for rule, rows in rules.items()
    ]
    return [line for line in found if line.rows]


def changes(facts: Facts) -> list[tuple[str, str, str, str, str, str]]:
    """Every line of the ledger: what came, left or changed; empty for an older history."""
    ledger = ledger_of(facts.workspace, facts.company.name)
    return ledger_rows(ledger.lines) if ledger else []


def feature_lines(facts: Facts) -> list[FeatureLine]:
    """Every feature the company's tables allow, in the order of the feature table."""
    rates = missing_rates(facts.workspace.features(facts.company.name) / "snapshot.parquet")
    tone = Tone.read(facts.workspace.features(facts.company.name))
    readers: dict[str, list[str]] = {}
    for target, bundle in facts.bundles.items():
        for name in bundle.estimator.encoder.columns:
            readers.setdefault(name, []).append(TITLES[target].split(" ")[0])
    return [
        FeatureLine(
            column.name,
            column.meaning,
            column.unit,
            share(rates[column.name]) if column.name in rates else MISSING,
            ", ".join(readers.get(column.name, [])),
        )
        for column in plan_for(facts.manifest.schema, tone=tone).columns
    ]


def missing_rates(snapshot: Path) -> dict[str, float]:
    """The share of customers without a value, by feature; empty without a snapshot."""
    if not snapshot.exists():
        return {}
    table = dataset(snapshot)
    empty: Counter[str] = Counter()
    for batch in table.to_batches(batch_size=50_000):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            empty[name] += pc.sum(pc.is_null(column, nan_is_null=True)).as_py() or 0
    rows = max(table.count_rows(), 1)
    return {name: empty[name] / rows for name in table.schema.names}


def rows_by_table(manifest: Manifest) -> list[tuple[str, str]]:
    """Rows kept, table by table."""
    return [(table, count(rows)) for table, rows in manifest.rows.items()]
