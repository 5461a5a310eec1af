"""Data quality findings on the terminal: a table that fits a screen, and a few lines after an import."""

from rich.markup import escape
from rich.table import Table

from features.data_quality.check_tables import DataQualityReport
from features.data_quality.finding import TableFinding

COLOURS = {"error": "red", "warning": "yellow", "advice": "cyan"}
TABLE_ROWS, SUMMARY_LINES = 14, 5


def findings_table(report: DataQualityReport) -> Table:
    """The worst findings as a table of at most `TABLE_ROWS` rows; the caption counts the others."""
    counts = ", ".join(f"{n} {s}{'s' if n != 1 and s != 'advice' else ''}"
                       for s, n in report.counts().items())  # fmt: skip
    shown = _select(report.findings, TABLE_ROWS)
    left = len(report.findings) - len(shown)
    table = Table(
        title=f"{report.company}: {counts}", title_justify="left", show_lines=False,
        caption=f"and {left} more in data-quality.html" if left else None, caption_justify="left",
    )  # fmt: skip
    for name in ("", "where", "check", "rows", "what"):
        table.add_column(name, overflow="fold", justify="right" if name == "rows" else "left")
    for finding in shown:
        table.add_row(
            f"[{COLOURS[finding.severity]}]{finding.severity}[/]", escape(finding.place),
            finding.check, f"{finding.rows:,}", escape(_short(finding.says, 120)),
        )  # fmt: skip
    return table


def summary_lines(report: DataQualityReport) -> list[str]:
    """One line for each of the worst errors and warnings, and one for the number of others."""
    serious = [f for f in report.findings if f.severity != "advice"]
    lines = [
        f"  [{COLOURS[f.severity]}]{f.severity}[/] {escape(f.place)}: {escape(_short(f.says, 110))}"
        for f in _select(serious, SUMMARY_LINES)
    ]
    rest = len(report.findings) - len(lines)
    if rest:
        lines.append(f"  {rest} more finding{'s' if rest > 1 else ''}: goodwill quality")
    return lines


def _select(findings: list[TableFinding], most: int) -> list[TableFinding]:
    """The first `most` findings, where a third of the same table and check comes after all others."""
    seen: dict[tuple[str, str, str], int] = {}
    priority: list[tuple[bool, int]] = []
    for i, finding in enumerate(findings):
        key = (finding.severity, finding.table, finding.check)
        seen[key] = seen.get(key, 0) + 1
        priority.append((seen[key] > 2, i))
    chosen = sorted(i for _, i in sorted(priority)[:most])
    return [findings[i] for i in chosen]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3].rstrip() + "..."
