"""Check for a customer table of today that is dated back: it shows today's state in the past."""

from features.history.history_table import DAY
from models.leakage.audit_sample import AuditSample
from models.leakage.findings import LeakCheckResult, LeakFinding, list_names
from models.training_set.splits import instant, microseconds

KIND = "snapshot without history"
#: Customers from which a single version each cannot be chance.
LEAST = 50
#: Days in which some attribute of some customer is bound to change.
LONG = 180

REMEDY = (
    "map valid_from to the time each value became known (one row per version), or list columns that "
    "never change under tables.customers.constant"
)


def check_backdated_snapshots(sample: AuditSample) -> LeakCheckResult:
    """Look for attributes that never change although they are not declared constant."""
    mapping = sample.company.tables.get("customers")
    attributes = list(sample.manifest.schema.attributes)
    if mapping is None or not attributes:
        return LeakCheckResult(KIND, "no customer attributes")
    changing = [n for n in attributes if n not in mapping.constant]
    looked_at = f"{len(attributes)} attributes, {len(attributes) - len(changing)} declared constant"
    if "valid_from" not in mapping.columns or not changing:
        return LeakCheckResult(KIND, looked_at)
    rows, customers, starts, first, median = sample.connection.execute(
        "select count(*), count(distinct customer_id), count(distinct valid_from), "
        "epoch_us(min(valid_from)), epoch_us(quantile_disc(valid_from, 0.5)) from customers"
    ).fetchall()[0]
    looked_at += f", {rows:,} versions of {customers:,} customers"
    age = (microseconds(sample.manifest.end) - median) / DAY
    if rows > customers or customers < LEAST or age < LONG:
        return LeakCheckResult(KIND, looked_at)
    if starts > 1:  # a table dated by the day each customer joined is common and may be honest
        note = (
            f"customers: {customers:,} customers have one version each, half of them older than "
            f"{age:,.0f} days: if {list_names(changing)} hold today's values, {REMEDY}"
        )
        return LeakCheckResult(KIND, looked_at, notes=(note,))
    finding = LeakFinding(
        KIND,
        f"customers.{list_names(changing)}",
        f"{customers:,} customers have one version each, all valid from the same instant, "
        f"{instant(first):%Y-%m-%d}: today's values would be shown at every cutoff",
        REMEDY,
    )
    return LeakCheckResult(KIND, looked_at, (finding,))
