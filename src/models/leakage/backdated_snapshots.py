"""A customer table of today that is dated back: it would show today's state in the past."""

from features.history.rows import DAY
from models.leakage.audit_sample import Case
from models.leakage.findings import Charge, Finding, some
from models.training_set.splits import instant, microseconds

KIND = "snapshot without history"
#: From so many customers on, one version each is no accident.
LEAST = 50
#: A time in which the attributes of some customer would have changed, in days.
LONG = 180

REMEDY = (
    "map valid_from to when each value came to be known (one row a version), or list columns that "
    "never change under tables.customers.constant"
)


def judge(case: Case) -> Finding:
    """Look for attributes that never change although they are not declared constant."""
    mapping = case.company.tables.get("customers")
    attributes = list(case.manifest.schema.attributes)
    if mapping is None or not attributes:
        return Finding(KIND, "no attributes of customers")
    changing = [n for n in attributes if n not in mapping.constant]
    looked = f"{len(attributes)} attributes, {len(attributes) - len(changing)} declared constant"
    if "valid_from" not in mapping.columns or not changing:
        return Finding(KIND, looked)
    rows, customers, instants, first, median = case.con.execute(
        "select count(*), count(distinct customer_id), count(distinct valid_from), "
        "epoch_us(min(valid_from)), epoch_us(quantile_disc(valid_from, 0.5)) from customers"
    ).fetchall()[0]
    looked += f", {rows:,} versions of {customers:,} customers"
    age = (microseconds(case.manifest.end) - median) / DAY
    if rows > customers or customers < LEAST or age < LONG:
        return Finding(KIND, looked)
    if instants > 1:  # a table with the day each customer came is common, and may be honest
        note = (
            f"customers: {customers:,} customers have one version each, half of them older than "
            f"{age:,.0f} days: if {some(changing)} are of today, {REMEDY}"
        )
        return Finding(KIND, looked, notes=(note,))
    charge = Charge(
        KIND,
        f"customers.{some(changing)}",
        f"{customers:,} customers have one version each, all valid from the same instant, "
        f"{instant(first):%Y-%m-%d}: what is known of them today would be shown as known at every "
        "cutoff",
        REMEDY,
    )
    return Finding(KIND, looked, (charge,))
