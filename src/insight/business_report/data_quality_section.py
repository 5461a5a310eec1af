"""The data in a few lines: what came in, what was left out, what is odd about it."""

from dataclasses import dataclass

from insight.business_report.report_inputs import ReportInputs

#: Findings shown; the others are in the page on usability.
MOST = 4


@dataclass(frozen=True)
class DataQualitySection:
    """Lines about the data, and the gravest findings as they were written (in English)."""

    tables: list[tuple[str, str]]
    lines: list[str]
    findings: list[tuple[str, str, str]]
    skipped: list[tuple[str, str]]


def data_quality_section(inputs: ReportInputs) -> DataQualitySection:
    """What to know about the data behind the figures."""
    translate, numbers, facts = inputs.translate, inputs.numbers, inputs.facts
    manifest = facts.manifest
    lines = [translate("data_span", start=numbers.day(manifest.start), end=numbers.day(manifest.end))]
    for key, by_table in (
        ("data_dropped", manifest.dropped),
        ("data_broken", manifest.quarantined),
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
            (translate.name("severity", f.severity), f.place, f.says)
            for f in usability.findings[:MOST]
        ]
    evaluation = inputs.evaluation
    if evaluation and evaluation.too_young:
        lines.append(translate("too_young", n=numbers.count(evaluation.too_young)))
    skipped = evaluation.skipped.items() if evaluation else ()
    tables = [(translate.name("table", n), numbers.count(r)) for n, r in manifest.rows.items()]
    return DataQualitySection(
        tables, lines, findings, [(translate.name("part", name), why) for name, why in skipped]
    )
