"""The findings on a terminal: a table that fits a screen, and a few lines after an import."""

from rich.markup import escape
from rich.table import Table

from features.data_quality.check_tables import DataQualityReport
from features.data_quality.finding import TableFinding

COLOURS = {"error": "red", "warning": "yellow", "advice": "cyan"}
SCREEN, FEW = 14, 5


def findings_table(found: DataQualityReport) -> Table:
    """The worst findings as a table of at most a screen; what it leaves out is counted below it."""
    counts = ", ".join(f"{n} {s}{'s' if n != 1 and s != 'advice' else ''}"
                       for s, n in found.counts().items())  # fmt: skip
    shown = _spread(found.findings, SCREEN)
    left = len(found.findings) - len(shown)
    table = Table(
        title=f"{found.company}: {counts}", title_justify="left", show_lines=False,
        caption=f"and {left} more in usability.html" if left else None, caption_justify="left",
    )  # fmt: skip
    for name in ("", "where", "check", "rows", "what"):
        table.add_column(name, overflow="fold", justify="right" if name == "rows" else "left")
    for finding in shown:
        table.add_row(
            f"[{COLOURS[finding.severity]}]{finding.severity}[/]", escape(finding.place),
            finding.check, f"{finding.rows:,}", escape(_short(finding.says, 120)),
        )  # fmt: skip
    return table


def summary_lines(found: DataQualityReport) -> list[str]:
    """The worst errors and warnings in a line each, and where the rest is."""
    serious = [f for f in found.findings if f.severity != "advice"]
    lines = [
        f"  [{COLOURS[f.severity]}]{f.severity}[/] {escape(f.place)}: {escape(_short(f.says, 110))}"
        for f in _spread(serious, FEW)
    ]
    rest = len(found.findings) - len(lines)
    if rest:
        lines.append(f"  {rest} more finding{'s' if rest > 1 else ''}: goodwill quality")
    return lines


def _spread(findings: list[TableFinding], most: int) -> list[TableFinding]:
    """The first findings, but of one check of one table the first two before any third."""
    seen: dict[tuple[str, str, str], int] = {}
    later: list[tuple[int, int]] = []
    for place, finding in enumerate(findings):
        key = (finding.severity, finding.table, finding.check)
        seen[key] = seen.get(key, 0) + 1
        later.append((seen[key] > 2, place))
    chosen = sorted(place for _, place in sorted(later)[:most])
    return [findings[place] for place in chosen]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3].rstrip() + "..."
