"""Data quality in a few lines: rows imported, rows excluded, and the most severe findings."""

from dataclasses import dataclass

from features.data_quality.finding import TableFinding
from features.formatting import close_up_percent
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.translations import Translator, load_catalogue

#: Findings listed; the data quality report has all.
LISTED = 4


@dataclass(frozen=True)
class DataQualitySection:
    """Sentences on the data, the most severe findings, and parts that are not available."""

    tables: list[tuple[str, str]]
    lines: list[str]
    findings: list[tuple[str, str, str]]
    skipped: list[tuple[str, str]]


def data_quality_section(inputs: ReportInputs) -> DataQualitySection:
    """The data behind the report."""
    translate, numbers, facts = inputs.translate, inputs.numbers, inputs.facts
    manifest = facts.manifest
    lines = [
        translate("data_span", start=numbers.day(manifest.start), end=numbers.day(manifest.end))
    ]
    for key, by_table in (
        ("data_dropped", manifest.dropped),
        ("data_invalid", manifest.quarantined),
    ):
        rows = sum(sum(rules.values()) for rules in by_table.values())
        lines.append(translate(key, n=numbers.count(rows)) if rows else translate(f"{key}_none"))
    usability = inputs.usability
    findings: list[tuple[str, str, str]] = []
    if usability is None:
        lines.append(translate("data_unchecked"))
    else:
        counts = usability.counts()
        lines.append(translate("data_findings", **{k: numbers.count(n) for k, n in counts.items()}))
        findings = [
            (translate.name("severity", f.severity), f.place, describe_finding(f, translate))
            for f in usability.findings[:LISTED]
        ]
    evaluation = inputs.evaluation
    if evaluation and evaluation.too_young:
        lines.append(translate("too_young", n=numbers.count(evaluation.too_young)))
    skipped = evaluation.skipped.items() if evaluation else ()
    tables = [(translate.name("table", n), numbers.count(r)) for n, r in manifest.rows.items()]
    return DataQualitySection(
        tables,
        lines,
        findings,
        [(translate.name("part", name), translate.message(why)) for name, why in skipped],
    )


def describe_finding(finding: TableFinding, translate: Translator) -> str:
    """What a finding says; in Chinese, a general sentence for its check with the numbers of rows."""
    if translate.language == "en":
        return close_up_percent(finding.says)
    sentence = load_catalogue("messages_zh")["finding"].get(finding.check)
    if sentence is None:
        return translate("english_only")
    numbers = translate.numbers
    return str(sentence).format(
        rows=numbers.count(finding.rows),
        total=numbers.count(finding.total),
        share=numbers.percent(finding.share),
    )
