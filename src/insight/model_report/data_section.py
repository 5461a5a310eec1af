"""The data behind the models: rows kept and excluded by rule, and the features computed from them."""

from dataclasses import dataclass

from features.definitions.catalog import missing_rates
from features.feature_table import plan_for
from features.formatting import ENGLISH, MISSING
from features.history_store import Manifest
from features.row_audit import read_row_audit
from features.text.comment_score_model import CommentScoreModel
from insight.data_quality_report.data_quality_page import row_audit_rows
from insight.formatting.display_names import TITLES
from insight.report_facts import ReportFacts


@dataclass(frozen=True)
class ExcludedRows:
    """Rows of a table that a rule excluded: `way` is dropped (on purpose) or quarantined (invalid)."""

    table: str
    way: str
    rule: str
    rows: int


@dataclass(frozen=True)
class FeatureRow:
    """A feature: column, meaning, unit, missing rate and the models that use it."""

    name: str
    meaning: str
    unit: str
    missing: str
    used_by: str


def excluded_rows(manifest: Manifest) -> list[ExcludedRows]:
    """Every rule that excluded at least one row."""
    found = [
        ExcludedRows(table, way, rule, rows)
        for way, tables in (("dropped", manifest.dropped), ("quarantined", manifest.quarantined))
        for table, rules in tables.items()
        for rule, rows in rules.items()
    ]
    return [row for row in found if row.rows]


def audit_rows(facts: ReportFacts) -> list[tuple[str, str, str, str, str, str]]:
    """Every step of the row audit: rows read, removed or changed; empty for an older history."""
    ledger = read_row_audit(facts.workspace, facts.company.name)
    return row_audit_rows(ledger.lines) if ledger else []


def feature_rows(facts: ReportFacts) -> list[FeatureRow]:
    """Every feature that the company's tables allow, in the order of the feature table."""
    folder = facts.workspace.features(facts.company.name)
    rates = missing_rates(folder / "snapshot.parquet")
    tone = CommentScoreModel.read(folder)
    users: dict[str, list[str]] = {}
    for target, bundle in facts.bundles.items():
        for name in bundle.estimator.encoder.columns:
            users.setdefault(name, []).append(TITLES[target].split(" ")[0])
    return [
        FeatureRow(
            column.name,
            column.meaning,
            column.unit,
            ENGLISH.percent(rates[column.name]) if column.name in rates else MISSING,
            ", ".join(users.get(column.name, [])),
        )
        for column in plan_for(facts.manifest.schema, comment_model=tone).columns
    ]


def rows_by_table(manifest: Manifest) -> list[tuple[str, str]]:
    """Rows kept in each table."""
    return [(table, ENGLISH.count(rows)) for table, rows in manifest.rows.items()]
