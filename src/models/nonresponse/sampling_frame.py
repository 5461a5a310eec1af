"""Sampling frame: the current customers, their segment and their last invitation."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.config.company import Company
from features.config.toml_section import did_you_mean
from features.customer_definition import CustomerDefinition
from features.errors import ConfigRefused, DataRefused
from features.execution.file_metadata import read_metadata
from features.execution.partitions import open_parquet
from features.history_store import Manifest, open_history
from features.settings import Workspace
from models.nonresponse.estimate import ANSWER_METRICS, NonresponseModel
from models.nonresponse.next_invitations import InvitationCandidates
from models.targets.target import Condition, customer_condition, population_mask

Texts = NDArray[np.object_]

#: An attribute with more values identifies people or places rather than segments.
MOST_SEGMENTS = 12


def read_snapshot(company: Company, workspace: Workspace, manifest: Manifest) -> pa.Table:
    """Read the features of every customer as of the end of the data.

    Raises DataRefused if there is no snapshot or it was built from another history.
    """
    path = workspace.features(company.name) / "snapshot.parquet"
    if not path.exists():
        raise DataRefused(f"no snapshot {path}; create it with `goodwill features`")
    provenance = read_metadata(open_parquet(path).schema)
    if provenance.get("fingerprint") != manifest.fingerprint:
        raise DataRefused(
            f"the snapshot {path} was built from the data {provenance.get('fingerprint')}, the history "
            f"has {manifest.fingerprint}; rebuild it with `goodwill features`"
        )
    return pq.read_table(path)


def is_current_customer(company: Company, snapshot: pa.Table) -> NDArray[np.bool_]:
    """Whether each customer is current: has not left, as far as is known."""
    definition = CustomerDefinition.of(company)
    if definition.column not in snapshot.column_names:
        return population_mask(snapshot, None)
    known = population_mask(snapshot, Condition(definition.column))
    return ~known | population_mask(snapshot, customer_condition(definition))


def build_candidates(
    model: NonresponseModel, company: Company, workspace: Workspace, snapshot: pa.Table
) -> tuple[InvitationCandidates, str]:
    """Every customer of a snapshot as a candidate, and the name of the segmenting attribute."""
    metric = ANSWER_METRICS[model.target.name][0]
    shares = model.outcome.predict(snapshot)
    mean = metric.expected(shares)
    variance = shares @ np.array(metric.class_values) ** 2 - mean**2
    invitations = model.invitations
    responded = np.unique(invitations.customer[invitations.answered & invitations.recent])
    ids = snapshot["customer_id"].to_numpy(zero_copy_only=False)
    segment, by = _segments(company, workspace, snapshot, ids)
    return InvitationCandidates(
        ids=ids,
        segment=segment,
        propensity=model.propensity.predict(snapshot),
        spread=np.sqrt(np.maximum(variance, 0.0)),
        responded=np.isin(ids, np.array(invitations.ids, object)[responded]),
        last_invited=_last_invited(company, workspace).reindex(ids),
        current=is_current_customer(company, snapshot),
    ), by


def _segments(
    company: Company, workspace: Workspace, snapshot: pa.Table, ids: Texts
) -> tuple[Texts, str]:
    """The segment of each customer: as configured, else by value, else the first CRM text attribute."""
    scores = workspace.scores(company.name)
    wanted = company.asking.segment
    texts = [f.name for f in snapshot.schema if pa.types.is_string(f.type)]
    attributes = [name for name in texts if name.startswith("crm_")]
    if wanted in (None, "value_segment") and scores.exists():
        found = pq.read_table(scores).to_pandas().set_index("customer_id")
        if "value_segment" in found and found.index.isin(ids).all() and len(found) == len(ids):
            return found["value_segment"].reindex(ids).to_numpy(object), "value_segment"
    if wanted is not None and wanted not in attributes:
        raise ConfigRefused(
            f"{company.path.name}: asking.segment is {wanted!r}"
            f"{did_you_mean(wanted, ['value_segment', *attributes])}"
        )
    few = [c for c in attributes if 1 < len(snapshot[c].unique()) <= MOST_SEGMENTS]
    if wanted is None and not few:
        return np.full(len(ids), "everybody", object), "everybody"
    column = wanted or few[0]
    known = snapshot[column].to_pandas().fillna("unknown")
    return known.to_numpy(object), column


def _last_invited(company: Company, workspace: Workspace) -> pd.Series:
    """The time of each customer's last invitation (UTC), indexed by customer id."""
    with open_history(workspace.history(company.name)) as con:
        last = con.sql(
            "select customer_id, max(sent_at) as last_invited from surveys group by 1"
        ).to_arrow_table()
    frame = last.to_pandas().set_index("customer_id")
    times: pd.Series[pd.Timestamp] = pd.to_datetime(frame["last_invited"], utc=True)
    return times
