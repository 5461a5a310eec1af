"""Data quality findings on the terminal: a table that fits a screen, and a few lines after an import."""

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from features.data_quality.check_tables import DataQualityReport
from features.data_quality.finding import TableFinding
from features.terminal_table import Indented, TextTable

COLOURS = {"error": "red", "warning": "yellow", "advice": "cyan"}
TABLE_ROWS, SUMMARY_LINES = 10, 5


def findings_table(report: DataQualityReport) -> Group:
    """The worst findings as a table of at most `TABLE_ROWS` rows; the last line counts the others."""
    counts = ", ".join(f"{n} {s}{'s' if n != 1 and s != 'advice' else ''}"
                       for s, n in report.counts().items())  # fmt: skip
    shown = _select(report.findings, TABLE_ROWS)
    parts: list[RenderableType] = [Indented(Text(f"{report.company}: {counts}", "bold"), indent=0)]
    if shown:
        rows = [
            ((Text(f.severity, COLOURS[f.severity]), f.place, f.check, f"{f.rows:,}"), f.says)
            for f in shown
        ]
        parts.append(TextTable(("severity", "where", "check", "rows"), rows, numbers=("rows",)))
    if left := len(report.findings) - len(shown):
        parts.append(Indented(Text(f"and {left} more in data-quality.html"), indent=0))
    return Group(*parts)


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
