"""The check of an import for lost rows, against the stored history that it would replace.

Rows that the history has and the import has not, new days with far fewer rows than usual, and tables
and sources without any row stop an import, unless their loss is accepted. Empty sources also stop a
first import, which there is nothing to compare with.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from features.config.company import Company
from features.config.import_limits import ImportLimits
from features.data_quality.finding import TableFinding
from features.errors import DataRefused
from features.import_history.accepted_losses import (
    AcceptedLoss,
    accepted_findings,
    record_accepted_losses,
)
from features.import_history.daily_rows import (
    EPOCH,
    DailyRows,
    count_imported_rows,
    count_stored_rows,
    day_number,
    day_text,
)
from features.import_history.loss_rules import Loss, count_series, find_lost_rows, find_small_days
from features.ingest.time_bounds import latest_allowed
from features.progress import Steps
from features.row_audit import RowAudit
from features.settings import Workspace

#: The file of a history that says up to which day it was checked, and with which company file.
CHECKED_FILE = "checked.json"
SHOWN = 10


@dataclass(frozen=True)
class LossCheck:
    """The comparison of an import with the stored history.

    `last_day` is the last day that was over at the time of the import. `notes` are for the terminal.
    """

    losses: list[Loss]
    last_day: int | None
    mapping: str
    notes: tuple[str, ...] = ()
    mapping_changed: bool = False
    is_first: bool = False

    def write(self, folder: Path) -> None:
        """Write what the next import compares with into the folder of a history."""
        day = None if self.last_day is None else day_text(self.last_day)
        content = json.dumps({"last_day": day, "mapping": self.mapping}, indent=1)
        (folder / CHECKED_FILE).write_text(content, encoding="utf-8")

    def refusal(self, company: Company, losses: list[Loss]) -> str:
        """The message that refuses the import because of losses."""
        lines = [f"  - {loss}" for loss in losses[:SHOWN]]
        if len(losses) > SHOWN:
            lines.append(f"  and {len(losses) - SHOWN} more")
        if self.mapping_changed:
            lines.append(
                f"  {company.path.name} has changed since the last import: a rule, a query or a "
                "renamed kind may be the cause"
            )
        if losses and all(loss.is_oldest for loss in losses):
            lines.append(
                "  only the oldest days are gone: if the sources keep only the newest days, set "
                f"import_limits.keeps_days in {company.path.name}"
            )
        if empty := next((loss for loss in losses if loss.what == "empty source"), None):
            lines.append(
                f"  a source that may be empty is named in tables.{empty.table}.may_be_empty in "
                f"{company.path.name}"
            )
        flags = " ".join(f"--accept-loss {t}" for t in dict.fromkeys(x.table for x in losses))
        compared = "compared with the stored history, which stays as it is"
        return (
            f"rows are missing{', nothing is imported' if self.is_first else f', {compared}'}:\n"
            + "\n".join(lines)
            + "\n  deliver the missing rows and run again; if they are rightly missing, accept that "
            f'once: goodwill retrain {flags} --reason "..." (limits: [import_limits] in '
            f"{company.path.name})"
        )


def check_for_losses(
    con: duckdb.DuckDBPyConnection, company: Company, workspace: Workspace, audit: RowAudit
) -> LossCheck:
    """Compare the validated tables `good_<table>` with the stored history, if there is one.

    The audit says how many rows each source had.
    """
    now = count_imported_rows(con, company, company.tables)
    folder, mapping = workspace.history(company.name), company.file_digest
    until = _last_finished_day(company, now)
    former = count_stored_rows(con, company, folder)
    if not company.limits.enabled:
        return LossCheck([], until, mapping)
    empty = find_empty_sources(company, audit)
    if not former:
        return LossCheck(empty, until, mapping, is_first=True)
    since, known_mapping = _read_checked(folder)
    dropped = [rows for name, rows in former.items() if name not in now]
    notes = [
        f"  {x.table} is no longer in {company.path.name}: its {x.rows:,} rows leave the history"
        for x in dropped
    ]
    if since is None:
        since = _last_day(former, company.limits)
    if until is not None and since is not None and until <= since:
        notes.append(f"  no new day since the last import; the data end on {day_text(since)}")
    losses = [*empty, *compare_rows(former, now, since, until, company.limits)]
    changed = known_mapping not in ("", mapping)
    return LossCheck(losses, until, mapping, tuple(notes), changed)


def find_empty_sources(company: Company, audit: RowAudit) -> list[Loss]:
    """The sources of tables that were read without any row, though the company does not expect that."""
    empty = {(x.table, x.rule) for x in audit.lines if x.step == "read" and not x.rows}
    return [
        Loss(table, None, "empty source", 0, 0, detail=rule)
        for table, mapping in company.tables.items()
        for source, rule in mapping.read_rules.items()
        if (table, rule) in empty and source not in mapping.may_be_empty
    ]


def compare_rows(
    former: Mapping[str, DailyRows],
    now: Mapping[str, DailyRows],
    since: int | None,
    until: int | None,
    limits: ImportLimits,
) -> list[Loss]:
    """The losses of all tables that both have; the new days are those after `since`, up to `until`."""
    tables = [name for name in former if name in now]
    losses = [loss for name in tables for loss in find_lost_rows(former[name], now[name], limits)]
    if since is None or until is None:
        return losses
    empty = {loss.table for loss in losses if loss.what == "empty"}
    series = count_series(former)
    for name in tables:
        rows = now[name]
        if rows.last_day is None or name in empty:
            continue
        end = min(until, rows.last_day) if name in limits.irregular else until
        losses += find_small_days(former[name], rows, since, end, limits, series)
    return losses


def settle_losses(
    check: LossCheck,
    company: Company,
    workspace: Workspace,
    accepted: AcceptedLoss | None,
    steps: Steps,
) -> list[TableFinding]:
    """Refuse losses that nobody accepted, and record the accepted ones; returns those as findings.

    Raises DataRefused.
    """
    for note in check.notes:
        steps.note(note)
    tables = accepted.tables if accepted else ()
    refused = [loss for loss in check.losses if loss.table not in tables]
    if refused:
        raise DataRefused(check.refusal(company, refused))
    if accepted is None:
        return []
    for table in tables:
        if not any(loss.table == table for loss in check.losses):
            steps.note(f"  {table} has lost no rows: there is nothing to accept")
    if not check.losses:
        return []
    record_accepted_losses(workspace, company.name, accepted, check.losses)
    return accepted_findings(accepted, check.losses)


def _last_finished_day(company: Company, now: Mapping[str, DailyRows]) -> int | None:
    """The last local day with rows that is over; a day that still runs is not complete."""
    last = _last_day(now, company.limits)
    limit = min(latest_allowed(company), datetime.now(UTC))
    zone = ZoneInfo(company.info.time_zone)
    today = limit.astimezone(zone).date()
    while last is not None:
        after = EPOCH + timedelta(days=last + 1)
        if after <= today and datetime.combine(after, time(), zone) <= limit:
            return last
        last = min(last, (today - EPOCH).days) - 1
    return None


def _last_day(tables: Mapping[str, DailyRows], limits: ImportLimits) -> int | None:
    """The last day with rows in any table that is delivered with the others."""
    days = [
        rows.last_day
        for name, rows in tables.items()
        if rows.last_day is not None and name not in limits.irregular
    ]
    return max(days, default=None)


def _read_checked(folder: Path) -> tuple[int | None, str]:
    """The last day that the stored history was checked for, and the digest of its company file."""
    path = folder / CHECKED_FILE
    if not path.is_file():  # imported by an earlier version
        return None, ""
    raw = json.loads(path.read_text(encoding="utf-8"))
    return day_number(raw["last_day"]) if raw["last_day"] else None, raw["mapping"]
