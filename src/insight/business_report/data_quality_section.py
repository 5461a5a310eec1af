"""The data in a few lines: what came in, what was left out, what is odd about it."""

from dataclasses import dataclass

from insight.business_report.report_inputs import Material

#: Findings shown; the others are in the page on usability.
MOST = 4


@dataclass(frozen=True)
class DataPart:
    """Lines about the data, and the gravest findings as they were written (in English)."""

    tables: list[tuple[str, str]]
    lines: list[str]
    findings: list[tuple[str, str, str]]
    skipped: list[tuple[str, str]]


def data_part(material: Material) -> DataPart:
    """What to know about the data behind the figures."""
    words, numerals, facts = material.words, material.numerals, material.facts
    manifest = facts.manifest
    lines = [words("data_span", start=numerals.day(manifest.start), end=numerals.day(manifest.end))]
    for key, by_table in (
        ("data_dropped", manifest.dropped),
        ("data_broken", manifest.quarantined),
    ):
        rows = sum(sum(rules.values()) for rules in by_table.values())
        lines.append(words(key, n=numerals.count(rows)) if rows else words(f"{key}_none"))
    usability = material.usability
    findings: list[tuple[str, str, str]] = []
    if usability is None:
        lines.append(words("data_unchecked"))
    else:
        counts = usability.counts()
        lines.append(words("data_findings", **{k: numerals.count(n) for k, n in counts.items()}))
        findings = [
            (words.named("severity", f.severity), f.place, f.says)
            for f in usability.findings[:MOST]
        ]
    evaluation = material.evaluation
    if evaluation and evaluation.too_young:
        lines.append(words("too_young", n=numerals.count(evaluation.too_young)))
    skipped = evaluation.skipped.items() if evaluation else ()
    tables = [(words.named("table", n), numerals.count(r)) for n, r in manifest.rows.items()]
    return DataPart(
        tables, lines, findings, [(words.named("part", name), why) for name, why in skipped]
    )
