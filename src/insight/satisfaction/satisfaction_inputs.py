"""What a company's figures are made of: questions asked and customers by period, read once."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import duckdb
import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest, open_history
from features.settings import Workspace
from insight.company_settings import section
from insight.satisfaction.behavioural_rates import customers_by_period, whole_periods
from insight.satisfaction.responses import REFUSED, UNKNOWN, usable
from insight.satisfaction.satisfaction_settings import Satisfaction


@dataclass(frozen=True)
class Sources:
    """The rows by source (`asked`, `customers`), why one is missing, and the whole periods.

    `refused` are the questions that cannot be used: `instrument`, `dimension`, `why`.

    `outside` questions were sent in no whole period: they still wait for answers, or came early. `by`
    are the columns every figure is cut by.
    """

    choices: Satisfaction
    fingerprint: str
    periods: list[datetime]
    rows: dict[str, pd.DataFrame]
    lacking: dict[str, str]
    outside: int
    by: tuple[str, ...]
    refused: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=REFUSED))

    @property
    def last(self) -> datetime:
        """The last whole period."""
        return self.periods[-1]


def sources(company: Company, workspace: Workspace) -> Sources:
    """The rows of a company, cut as `[insight.satisfaction]` says.

    Raises DataRefused without a history or a whole period in it, ConfigRefused for an attribute the
    company lacks.
    """
    choices = section(company, "satisfaction", Satisfaction)
    manifest = Manifest.read(workspace, company.name)
    periods = [start for start, _ in whole_periods(manifest, choices.period)]
    if not periods:
        raise DataRefused(
            f"the data, {manifest.data_start[:10]} to {manifest.data_end[:10]}, hold no whole "
            f"{choices.period}; choose a shorter period under [insight.satisfaction]"
        )
    with open_history(workspace.history(company.name)) as con:
        rows, lacking, refused = _read(con, company, manifest, choices)
    outside = 0
    if "asked" in rows:
        inside = rows["asked"]["period"].isin(periods)
        rows["asked"], outside = rows["asked"][inside], int((~inside).sum())
    by = ("channel", *choices.by)
    return Sources(choices, manifest.fingerprint, periods, rows, lacking, outside, by, refused)


def with_standing(found: Sources, standing: pd.DataFrame) -> Sources:
    """The same, also cut by the columns of `standing` other than `customer_id` and `period`.

    A row belongs to its customer's last standing of its period or before, "unknown" before the first
    one; a column whose name an attribute has is called `standing_<name>`. Raises DataRefused without
    the two columns.
    """
    lacking = [name for name in ("customer_id", "period") if name not in standing]
    if lacking:
        raise DataRefused(
            f"standings lack {', '.join(lacking)}; they have {', '.join(map(str, standing.columns))}"
        )
    own = [str(c) for c in standing if c not in ("customer_id", "period")]
    named = {c: f"standing_{c}" if c in found.by else c for c in own}
    told = standing.rename(columns=named).sort_values("period", kind="stable")
    rows = {name: at_the_time(part, told) for name, part in found.rows.items()}
    return replace(found, rows=rows, by=(*found.by, *named.values()))


def at_the_time(rows: pd.DataFrame, standing: pd.DataFrame) -> pd.DataFrame:
    """Rows with the columns of the last standing of their period or before; `standing` by time."""
    columns = [c for c in standing if c not in ("customer_id", "period")]
    then = pd.DataFrame({
        "customer_id": rows["customer_id"].astype("str"), "period": rows["period"],
        "place": range(len(rows)),
    }).sort_values("period", kind="stable")  # fmt: skip
    told = standing.assign(
        period=pd.to_datetime(standing["period"], utc=True).astype(then["period"].dtype),
        customer_id=standing["customer_id"].astype("str"),
    )
    found = pd.merge_asof(then, told, on="period", by="customer_id").sort_values("place")
    texts = found[columns].astype(object).where(found[columns].notna(), UNKNOWN).astype("str")
    return rows.assign(**{str(c): texts[c].to_numpy() for c in columns})


def _read(
    con: duckdb.DuckDBPyConnection, company: Company, manifest: Manifest, choices: Satisfaction
) -> tuple[dict[str, pd.DataFrame], dict[str, str], pd.DataFrame]:
    """What figures are made of, why some of it is not there, and the questions that cannot be used."""
    rows, lacking, refused = {}, {}, pd.DataFrame(columns=REFUSED)
    try:
        rows["asked"], refused = usable(con, manifest, choices)
    except DataRefused as err:
        lacking["asked"] = str(err)
    try:
        rows["customers"] = customers_by_period(con, company, manifest, choices)
    except DataRefused as err:
        lacking["customers"] = str(err)
    return rows, lacking, refused
