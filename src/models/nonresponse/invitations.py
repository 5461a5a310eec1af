"""Who was asked and who answered: every invitation to a question, with the features of its day."""

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

#: Which rows of `surveys` ask the question a target is about.
QUESTIONS = {
    "satisfaction": "instrument = 'csat' and coalesce(dimension, 'overall') = 'overall'",
    "nps": "instrument = 'nps'",
}
#: What everybody would have said is told of the last so many days of ripe invitations.
WINDOW_DAYS = 365
#: Beyond so many, the newest invitations are taken: older ones say little of today.
MOST_INVITATIONS = 200_000


@dataclass(frozen=True)
class Invitations:
    """Ripe invitations to one question, sorted by customer and time: one element each.

    `level` is the class of the answer that came within the horizon, NaN without one. `customer`
    numbers the customers, `recent` marks those sent from `starts` on, `ends` is when the youngest
    ripe one may have been sent. `late` were answered after the horizon and count as unanswered;
    `unripe` were sent too late, `older` are beyond the newest `MOST_INVITATIONS`. `channel` is how each
    was asked, None where surveys do not say.
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
    unripe: int = 0
    older: int = 0
    channel: Texts | None = None

    @property
    def answered(self) -> Mask:
        """Which were answered."""
        return np.asarray(~np.isnan(self.level))


def load_invitations(
    target: Target, company: Company, workspace: Workspace, manifest: Manifest
) -> Invitations:
    """Every ripe invitation to a target's question, answered or not.

    Features are those of the moment of asking and read no tone of comments, which is learnt from
    answers. Raises DataRefused where the question was never asked or none is ripe.
    """
    span = target.span_days(company.target(target.name))
    ends = manifest.end - timedelta(days=span)
    asked, unripe = _asked(target, company, workspace, manifest, ends)
    if not asked.num_rows and not unripe:
        raise DataRefused("the question was never asked")
    if not asked.num_rows:
        raise DataRefused(
            f"no invitation is {span} days older than the end of the data, {manifest.data_end[:10]}"
        )
    kept = asked
    if asked.num_rows > MOST_INVITATIONS:
        newest = pc.sort_indices(asked, [("cutoff", "descending"), ("customer_id", "ascending")])
        kept = asked.take(newest[:MOST_INVITATIONS]).sort_by(
            [("customer_id", "ascending"), ("cutoff", "ascending")]
        )
    made = _with_features(kept, workspace, manifest)
    words = pc.dictionary_encode(made["customer_id"].combine_chunks())
    sent = made["cutoff"].combine_chunks().cast(pa.timestamp("us", "UTC")).view(pa.int64())
    starts = ends - timedelta(days=WINDOW_DAYS)
    return Invitations(
        features=made.drop([*KEYS]),
        ids=tuple(words.dictionary.to_pylist()),
        customer=words.indices.to_numpy().astype(np.int64),
        sent=sent.to_numpy(),
        level=np.asarray(made["label"].to_numpy(), np.float64),
        weight=np.asarray(made["weight"].to_numpy(), np.float64),
        recent=sent.to_numpy() >= microseconds(starts),
        late=kept["late"].to_numpy(),
        starts=starts,
        ends=ends,
        unripe=unripe,
        older=asked.num_rows - kept.num_rows,
        channel=_channel(kept, manifest),
    )


def _channel(asked: pa.Table, manifest: Manifest) -> Texts | None:
    if "channel" not in manifest.schema.tables["surveys"]:
        return None
    named = pc.fill_null(asked["channel"], "unknown")
    return np.asarray(named.to_numpy(zero_copy_only=False), object)


def _asked(
    target: Target, company: Company, workspace: Workspace, manifest: Manifest, ends: datetime
) -> tuple[pa.Table, int]:
    """(customer_id, cutoff, label, weight, late, channel) of the ripe ones; how many are unripe."""
    named = "channel" in manifest.schema.tables["surveys"]
    con = open_history(workspace.history(company.name))
    try:
        con.execute(
            f"""create temp table asked as
            with sent as (
                select customer_id, sent_at as cutoff, avg(weight) as weight,
                       {"min(channel)" if named else "null::varchar"} as channel,
                       count(answered_at) filter (score is not null) as ever
                from surveys where {QUESTIONS[target.name]} group by all),
            said as (
                select customer_id, cutoff, max(label) as label
                from ({target.label_sql(company.target(target.name))}) group by all)
            select customer_id, cutoff, label::double as label, weight::double as weight, channel,
                   label is null and ever > 0 as late,
                   cutoff <= timestamptz '{ends.isoformat()}' as ripe
            from sent left join said using (customer_id, cutoff)"""
        )
        (unripe,) = con.execute("select count(*) from asked where not ripe").fetchall()[0]
        ripe = con.sql(
            "select customer_id, cutoff, label, weight, late, channel from asked where ripe "
            "order by customer_id, cutoff"
        ).to_arrow_table()
    finally:
        con.close()
    return ripe, int(unripe)


def _with_features(asked: pa.Table, workspace: Workspace, manifest: Manifest) -> pa.Table:
    """Invitations with the features of the moment they were sent."""
    name = manifest.company
    ids = customer_ids(workspace, name)
    maker = FeatureRowBuilder(workspace.history(name), plan_for(manifest.schema), LOCAL.threads)
    beside = workspace.company(name) / "invitations.new"
    pq.write_table(asked, beside, row_group_size=50_000)
    try:
        parts = [maker.training_rows(Path(beside), None, s) for s in split_customers(ids, LOCAL.size(len(ids)))]
    finally:
        beside.unlink()
    return pa.concat_tables([part for part in parts if part is not None])
