"""The rows that satisfaction metrics are computed from: questions and customers by period."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import duckdb
import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest, open_history
from features.settings import Workspace
from insight.company_settings import read_section
from insight.satisfaction.behavioural_rates import customers_by_period, whole_periods
from insight.satisfaction.responses import REFUSED_COLUMNS, UNKNOWN, read_usable_questions
from insight.satisfaction.satisfaction_settings import SatisfactionSettings


@dataclass(frozen=True)
class SatisfactionInputs:
    """The rows by source (`asked`, `customers`), why a source is missing, and the whole periods.

    `refused` are the questions that cannot be used: `instrument`, `dimension`, `why`. `outside`
    questions were sent in no whole period: the period has not ended, or began before the data;
    `outside_rows` are these. `by` are the grouping columns. Periods are labels of the calendar in
    `zone` (`features.calendar_periods`).
    """

    settings: SatisfactionSettings
    fingerprint: str
    periods: list[datetime]
    rows: dict[str, pd.DataFrame]
    missing: dict[str, str]
    outside: int
    by: tuple[str, ...]
    refused: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=REFUSED_COLUMNS))
    zone: str = "UTC"
    outside_rows: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def last(self) -> datetime:
        """The last whole period."""
        return self.periods[-1]


def read_satisfaction_inputs(company: Company, workspace: Workspace) -> SatisfactionInputs:
    """Read the rows of a company as `[insight.satisfaction]` says.

    Raises DataRefused without a history or a whole period in it, ConfigRefused for an attribute the
    company lacks.
    """
    settings = read_section(company, "satisfaction", SatisfactionSettings)
    manifest, zone = Manifest.read(workspace, company.name), company.info.time_zone
    periods = [start for start, _ in whole_periods(manifest, settings.period, zone)]
    if not periods:
        raise DataRefused(
            f"the data, {manifest.data_start[:10]} to {manifest.data_end[:10]}, hold no whole "
            f"{settings.period}; choose a shorter period under [insight.satisfaction]"
        )
    with open_history(workspace.history(company.name)) as con:
        rows, missing, refused = _read(con, company, manifest, settings)
    outside_rows = pd.DataFrame()
    if "asked" in rows:
        inside = rows["asked"]["period"].isin(periods)
        rows["asked"], outside_rows = rows["asked"][inside], rows["asked"][~inside]
    by = ("channel", *settings.by)
    return SatisfactionInputs(
        settings, manifest.fingerprint, periods, rows, missing, len(outside_rows), by, refused,
        zone, outside_rows,
    )  # fmt: skip


def join_status(inputs: SatisfactionInputs, status: pd.DataFrame) -> SatisfactionInputs:
    """Add the columns of `status` other than `customer_id` and `period` as grouping columns.

    A row gets its customer's last status at or before its period, "unknown" before the first; a column
    that shares its name with an attribute is called `standing_<name>`. Raises DataRefused without the
    two key columns.
    """
    missing = [name for name in ("customer_id", "period") if name not in status]
    if missing:
        raise DataRefused(
            f"standings lack {', '.join(missing)}; they have {', '.join(map(str, status.columns))}"
        )
    own = [str(c) for c in status if c not in ("customer_id", "period")]
    new_names = {c: f"standing_{c}" if c in inputs.by else c for c in own}
    labels = labels_of(pd.to_datetime(status["period"], utc=True), inputs.zone)
    ordered = status.assign(period=labels).rename(columns=new_names)
    ordered = ordered.sort_values("period", kind="stable")
    rows = {name: status_at_period(part, ordered) for name, part in inputs.rows.items()}
    return replace(inputs, rows=rows, by=(*inputs.by, *new_names.values()))


def labels_of(instants: "pd.Series[pd.Timestamp]", zone: str) -> "pd.Series[pd.Timestamp]":
    """The time on the clocks of a time zone at each instant, written as UTC."""
    return instants.dt.tz_convert(zone).dt.tz_localize(None).dt.tz_localize("UTC")


def status_at_period(rows: pd.DataFrame, status: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the last status at or before their period; `status` is sorted by period."""
    columns = [c for c in status if c not in ("customer_id", "period")]
    keys = pd.DataFrame({
        "customer_id": rows["customer_id"].astype("str"), "period": rows["period"],
        "position": range(len(rows)),
    }).sort_values("period", kind="stable")  # fmt: skip
    typed = status.assign(
        period=pd.to_datetime(status["period"], utc=True).astype(keys["period"].dtype),
        customer_id=status["customer_id"].astype("str"),
    )
    joined = pd.merge_asof(keys, typed, on="period", by="customer_id").sort_values("position")
    texts = joined[columns].astype(object).where(joined[columns].notna(), UNKNOWN).astype("str")
    return rows.assign(**{str(c): texts[c].to_numpy() for c in columns})


def _read(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    manifest: Manifest,
    settings: SatisfactionSettings,
) -> tuple[dict[str, pd.DataFrame], dict[str, str], pd.DataFrame]:
    """Read the rows by source, why a source is missing, and the questions that cannot be used."""
    rows, missing, refused = {}, {}, pd.DataFrame(columns=REFUSED_COLUMNS)
    try:
        rows["asked"], refused = read_usable_questions(
            con, manifest, settings, company.info.time_zone
        )
    except DataRefused as err:
        missing["asked"] = str(err)
    try:
        rows["customers"] = customers_by_period(con, company, manifest, settings)
    except DataRefused as err:
        missing["customers"] = str(err)
    return rows, missing, refused
