"""Owner and region of customers, as their records say at the end of the data."""

from collections.abc import Sequence

import pandas as pd

from features.history_store import open_history
from insight.calls.customer_record import record_columns
from insight.report_facts import ReportFacts


def customer_attributes(facts: ReportFacts, customers: Sequence[str]) -> pd.DataFrame:
    """The last `owner` and `region` of these customers; without a column that no record has."""
    known = facts.manifest.schema.tables.get("customers", ())
    chosen = record_columns(known)
    if not chosen or not customers:
        return pd.DataFrame(index=pd.Index([], dtype=str))
    latest = ", ".join(
        f"arg_max(\"{column}\"::varchar, coalesce(valid_from, timestamptz '-infinity')) as {label}"
        for label, column in chosen.items()
    )
    sql = f"""
        select customer_id::varchar as customer_id, {latest} from customers
        where customer_id::varchar in (select unnest($wanted)) group by 1
    """
    with open_history(facts.workspace.history(facts.company.name)) as con:
        found = con.sql(sql, params={"wanted": list(customers)}).to_arrow_table()
    table: pd.DataFrame = found.to_pandas()
    return table.set_index("customer_id")
