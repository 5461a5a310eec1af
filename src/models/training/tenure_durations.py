"""How long customers stayed after each cutoff: months until they left, or until nobody knows.

With contracts a customer leaves when he cancels. Without, he has left at his last order before the
first silence as long as the churn horizon; a silence from the cutoff on means he had left already.
"""

import numpy as np
import pyarrow as pa

from features.config.company import Company
from features.history_store import Manifest, open_history
from features.settings import Workspace
from models.learners.survival_curve import MONTH, TenureDurations
from models.training_set.splits import instant, microseconds


def measure_tenure(
    company: Company, workspace: Workspace, manifest: Manifest, keys: pa.Table, until: int
) -> TenureDurations:
    """How long the customer of each (customer_id, cutoff) row stayed.

    Nothing after `until` (microseconds since 1970) is looked at, nor what became known later, so that
    what is learnt from these rows has not seen the test.
    """
    config = company.target("churn")
    con = open_history(workspace.history(company.name))
    try:
        con.register("keys", keys.append_column("place", pa.array(range(keys.num_rows))))
        end = f"timestamptz '{instant(min(until, microseconds(manifest.end))).isoformat()}'"
        made = (
            _cancels(end) if config.definition == "cancel" else _silences(config.horizon_days, end)
        )
        found = con.sql(f"select * from ({made}) order by place").to_arrow_table()
    finally:
        con.close()
    left, seen = (np.asarray(found[n].to_numpy(), np.float64) for n in ("left_days", "seen_days"))
    return TenureDurations(
        np.ceil(np.maximum(left, 0.0) / MONTH), np.floor(np.maximum(seen, 0.0) / MONTH)
    )


def _cancels(end: str) -> str:
    """Days from each cutoff to the cancellation that follows it, and to the end."""
    return f"""
        select k.place, epoch(min(e.occurred_at) - any_value(k.cutoff)) / 86400 as left_days,
               epoch({end} - any_value(k.cutoff)) / 86400 as seen_days
        from keys k left join events e on e.customer_id = k.customer_id and e.kind = 'cancel'
            and e.occurred_at >= k.cutoff and e.occurred_at < {end} and e.known_at < {end}
        group by k.place
    """


def _silences(horizon: int, end: str) -> str:
    """Days from each cutoff to the last order before the first silence as long as the horizon."""
    return f"""
        with steps as (
            select k.place, k.cutoff, k.cutoff as moment from keys k
            union all
            select k.place, k.cutoff, e.occurred_at from keys k
            join events e on e.customer_id = k.customer_id and e.kind = 'order'
                and e.occurred_at >= k.cutoff and e.occurred_at < {end} and e.known_at < {end}
        ),
        gaps as (
            select place, cutoff, moment,
                   coalesce(lead(moment) over (partition by place order by moment), {end}) as next
            from steps
        )
        select place,
               epoch(min(moment) filter (next - moment >= interval {horizon} day)
                     - any_value(cutoff)) / 86400 as left_days,
               epoch({end} - any_value(cutoff)) / 86400 - {horizon} as seen_days
        from gaps group by place
    """
