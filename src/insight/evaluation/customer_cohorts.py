"""Cohorts: customers by the quarter they came, and the share that is still a customer later."""

from datetime import datetime

from features.calendar_periods import bucket_sql, start_of
from features.config.company import Company
from features.customer_definition import EVIDENCE, ORDERED, CustomerDefinition, kinds_sql
from features.errors import DataRefused
from features.history_store import Manifest, open_history
from features.settings import Workspace
from insight.company_settings import read_section
from insight.evaluation.business_schema import CustomerCohort
from insight.satisfaction.behavioural_rates import whole_periods
from insight.satisfaction.satisfaction_settings import SatisfactionSettings

#: Quarters that are followed: three years.
MOST_QUARTERS = 12
#: Days of data before a quarter from which on those who first appear in it are taken to be new.
KNOWN_DAYS = 80


def measure_cohorts(company: Company, workspace: Workspace) -> list[CustomerCohort]:
    """Follow the customers of each whole quarter, the earliest first.

    Who is a customer follows `features.customer_definition`; a customer comes with the first event that
    shows it. Cohorts of fewer customers than `insight.satisfaction.fewest` are left out. Raises
    DataRefused without a history, events, or two whole quarters of them.
    """
    manifest, zone = Manifest.read(workspace, company.name), company.info.time_zone
    if "events" not in manifest.schema.tables:
        raise DataRefused(
            "the company has no events; cohorts of customers need orders or contracts"
        )
    quarters = whole_periods(manifest, "quarter", zone)
    if len(quarters) < 2:
        raise DataRefused(f"{len(quarters)} whole quarters of data; cohorts need 2")
    quarters = quarters[-MOST_QUARTERS:]
    fewest = read_section(company, "satisfaction", SatisfactionSettings).fewest
    sql = _cohorts_sql(CustomerDefinition.of(company), [end for _, end in quarters], zone)
    with open_history(workspace.history(company.name)) as con:
        rows = {row[0]: row[1:] for row in con.execute(sql).fetchall() if row[0] is not None}
    first = datetime.fromisoformat(manifest.data_start).date()
    found = []
    for place, (start, _end) in enumerate(quarters):
        customers, *kept = rows.get(start.date(), (0,))
        if customers >= fewest:
            found.append(CustomerCohort(
                start=start.date(), earlier=(start.date() - first).days < KNOWN_DAYS,
                customers=customers, kept=[count / customers for count in kept[place:]],
            ))  # fmt: skip
    if not found:
        raise DataRefused(f"no quarter has {fewest} new customers, which a cohort needs")
    return found


def _cohorts_sql(definition: CustomerDefinition, ends: list[datetime], zone: str) -> str:
    """For each quarter of the first evidence: the customers, and those of them at each of the ends."""
    kinds = EVIDENCE if definition.contractual else (ORDERED,)
    first = f"min(occurred_at) filter (kind in {kinds_sql(tuple(kinds))})"
    instants = [f"timestamptz '{start_of(end, zone).isoformat()}'" for end in ends]
    states = ", ".join(f"{definition.state_sql(at)} as s{n}" for n, at in enumerate(instants))
    counts = ", ".join(f"count(*) filter (s{n} = 'customer')" for n in range(len(ends)))
    return (
        f"select ({bucket_sql('quarter', 'first', zone)})::date as cohort, count(*), {counts} from "
        f"(select customer_id, {first} as first, {states} from events group by 1) group by 1"
    )
