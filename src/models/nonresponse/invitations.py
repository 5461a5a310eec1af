"""Survey invitations and their answers, with the features as of the time of the invitation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.config.company import Company
from features.errors import DataRefused
from features.execution.partitions import LOCAL, split_customers
from features.feature_table import plan_for
from features.history_store import Manifest, customer_ids, open_history
from features.settings import Workspace
from models.targets.target import Target
from models.training_set.build_training_sets import KEYS, FeatureRowBuilder
from models.training_set.splits import microseconds

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

#: SQL condition for the rows of `surveys` with a target's question.
QUESTIONS = {
    "satisfaction": "instrument = 'csat' and coalesce(dimension, 'overall') = 'overall'",
    "nps": "instrument = 'nps'",
}
#: Metrics are estimated for the mature invitations of this number of days.
WINDOW_DAYS = 365
#: Only this number of the newest invitations is used: older ones say little about today.
MOST_INVITATIONS = 200_000


@dataclass(frozen=True)
class Invitations:
    """Mature invitations to one question, sorted by customer and time, one element each.

    An invitation is mature if its answer horizon ends within the data. `level` is the class of an
    answer within the horizon, else NaN; `late` answers came after it and count as unanswered.
    `customer` is a number per customer, the position in `ids`. `recent` marks invitations sent in
    [`starts`, `ends`]. `immature` counts invitations sent after `ends`, `older` those beyond the
    newest `MOST_INVITATIONS`. `channel` is None where surveys have no channel.
    """

    features: pa.Table
    ids: tuple[str, ...]
    customer: NDArray[np.int64]
    sent: NDArray[np.int64]
    level: Floats
    weight: Floats
    recent: Mask
    late: Mask
    starts: datetime
    ends: datetime
    immature: int = 0
    older: int = 0
    channel: Texts | None = None

    @property
    def answered(self) -> Mask:
        """Mask of answered invitations."""
        return np.asarray(~np.isnan(self.level))


def load_invitations(
    target: Target, company: Company, workspace: Workspace, manifest: Manifest
) -> Invitations:
    """Load every mature invitation to a target's question, answered or not.

    Features are as of the time of the invitation, without those of the comment score model, which is
    trained on answers. Raises DataRefused if the question was never asked or no invitation is mature.
    """
    span = target.span_days(company.target(target.name))
    ends = manifest.end - timedelta(days=span)
    asked, immature = _query_invitations(target, company, workspace, manifest, ends)
    if not asked.num_rows and not immature:
        raise DataRefused("the question was never asked")
    if not asked.num_rows:
        raise DataRefused(
            f"no invitation is at least {span} days older than the end of the data, "
            f"{manifest.data_end[:10]}"
        )
    kept = asked
    if asked.num_rows > MOST_INVITATIONS:
        newest = pc.sort_indices(asked, [("cutoff", "descending"), ("customer_id", "ascending")])
        kept = asked.take(newest[:MOST_INVITATIONS]).sort_by(
            [("customer_id", "ascending"), ("cutoff", "ascending")]
        )
    rows = _add_features(kept, workspace, manifest)
    customers = pc.dictionary_encode(rows["customer_id"].combine_chunks())
    sent = rows["cutoff"].combine_chunks().cast(pa.timestamp("us", "UTC")).view(pa.int64())
    starts = ends - timedelta(days=WINDOW_DAYS)
    return Invitations(
        features=rows.drop([*KEYS]),
        ids=tuple(customers.dictionary.to_pylist()),
        customer=customers.indices.to_numpy().astype(np.int64),
        sent=sent.to_numpy(),
        level=np.asarray(rows["label"].to_numpy(), np.float64),
        weight=np.asarray(rows["weight"].to_numpy(), np.float64),
        recent=sent.to_numpy() >= microseconds(starts),
        late=kept["late"].to_numpy(),
        starts=starts,
        ends=ends,
        immature=immature,
        older=asked.num_rows - kept.num_rows,
        channel=_channel(kept, manifest),
    )


def _channel(asked: pa.Table, manifest: Manifest) -> Texts | None:
    if "channel" not in manifest.schema.tables["surveys"]:
        return None
    named = pc.fill_null(asked["channel"], "unknown")
    return np.asarray(named.to_numpy(zero_copy_only=False), object)


def _query_invitations(
    target: Target, company: Company, workspace: Workspace, manifest: Manifest, ends: datetime
) -> tuple[pa.Table, int]:
    """(customer_id, cutoff, label, weight, late, channel) if mature, and the number of immature ones."""
    has_channel = "channel" in manifest.schema.tables["surveys"]
    con = open_history(workspace.history(company.name))
    try:
        con.execute(
            f"""create temp table asked as
            with sent as (
                select customer_id, sent_at as cutoff, avg(weight) as weight,
                       {"min(channel)" if has_channel else "null::varchar"} as channel,
                       count(answered_at) filter (score is not null) as ever
                from surveys where {QUESTIONS[target.name]} group by all),
            answered as (
                select customer_id, cutoff, max(label) as label
                from ({target.label_sql(company.target(target.name))}) group by all)
            select customer_id, cutoff, label::double as label, weight::double as weight, channel,
                   label is null and ever > 0 as late,
                   cutoff <= timestamptz '{ends.isoformat()}' as mature
            from sent left join answered using (customer_id, cutoff)"""
        )
        (immature,) = con.execute("select count(*) from asked where not mature").fetchall()[0]
        mature = con.sql(
            "select customer_id, cutoff, label, weight, late, channel from asked where mature "
            "order by customer_id, cutoff"
        ).to_arrow_table()
    finally:
        con.close()
    return mature, int(immature)


def _add_features(asked: pa.Table, workspace: Workspace, manifest: Manifest) -> pa.Table:
    """The invitations with the features as of the time they were sent."""
    name = manifest.company
    ids = customer_ids(workspace, name)
    builder = FeatureRowBuilder(workspace.history(name), plan_for(manifest.schema), LOCAL.threads)
    temporary = workspace.company(name) / "invitations.new"
    pq.write_table(asked, temporary, row_group_size=50_000)
    try:
        parts = [
            builder.training_rows(Path(temporary), None, customers)
            for customers in split_customers(ids, LOCAL.size(len(ids)))
        ]
    finally:
        temporary.unlink()
    return pa.concat_tables([part for part in parts if part is not None])
