"""Features that change when everything from their cutoff on is removed: they look into the future.

Every looked-at row is made a second time from the past of its customer alone. It must equal the
same features made with the future at hand, and the row as it is stored for training.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.history.build_history import build_history
from features.lookahead import differing, pair_names, truncate_each
from models.leakage.audit_sample import SEED, Case, Ints, ids, instants, names_of
from models.leakage.findings import Charge, Finding, some

KIND = "looks ahead"
UNDECLARED = "undeclared column"
#: Instants of records that serve as cutoffs.
INSTANTS = 100

REMEDY = (
    "let it use only what was known before the cutoff: build it from `past` alone and give late "
    "facts their own time (known_at, valid_from, answered_at, closed_at)"
)
STORED = (
    "make the training sets again with `goodwill features`; if it stays, whatever writes them uses "
    "more than the customer's past (a statistic over all customers, labels, a later cutoff)"
)
STRANGE = (
    "make the training sets again with `goodwill features`; what belongs there is declared with "
    "@feature, whatever else writes them should not"
)


def judge(case: Case) -> Finding:
    """Make sampled rows again from truncated pasts and compare: every feature, every set."""
    at = [(ids(rows), instants(rows)) for rows in case.probes.values()] + [_moments(case)]
    customers = pa.concat_arrays([who for who, _ in at])
    cutoff = np.concatenate([when for _, when in at])
    was = _from_the_past(case, customers, cutoff)
    seen = case.made(case.history, customers, cutoff)
    ahead = {n: m for n in case.names if (m := differing(seen[n], was[n])).any()}
    charges = _charge_features(ahead, len(cutoff))
    start = 0
    for name, rows in case.probes.items():
        charges += _charge_stored(case, name, was.slice(start, rows.num_rows), set(ahead))
        start += rows.num_rows
    looked = (
        f"{len(case.names)} features in {len(cutoff):,} rows of {len(case.closely):,} customers"
    )
    return Finding(KIND, looked, tuple(charges))


def _moments(case: Case) -> tuple[pa.Array, Ints]:
    """Instants at which something of a customer happened or became known: the border itself."""
    owners: list[pa.Array] = []
    moments: list[Ints] = []
    for table in case.tables_of(case.closely).values():
        for name in table.column_names:
            if pa.types.is_timestamp(table.schema.field(name).type) and name != "due_at":
                given = table.filter(pc.is_valid(table[name]))
                owners.append(ids(given))
                moments.append(instants(given, name))
    moment = np.concatenate(moments)
    chosen = np.random.default_rng(SEED).permutation(len(moment))[:INSTANTS]
    return pa.concat_arrays(owners).take(pa.array(chosen)), moment[chosen]


def _from_the_past(case: Case, customers: pa.Array, cutoff: Ints) -> pa.Table:
    """The features of each row out of a history that ends at its cutoff."""
    names = pair_names(len(cutoff))
    past = truncate_each(case.tables_of(case.closely), customers, cutoff)
    return case.made(build_history(past, customers=names.to_pylist()), names, cutoff)


def _charge_features(ahead: dict[str, NDArray[np.bool_]], rows: int) -> list[Charge]:
    if not ahead:
        return []
    most = max(int(mask.sum()) for mask in ahead.values())
    named = sorted(ahead, key=lambda n: -int(ahead[n].sum()))
    return [
        Charge(
            KIND,
            f"feature {some(named)}",
            f"{_times(len(ahead), most)} of {rows:,} looked-at values change when the records from "
            "the cutoff on are removed",
            REMEDY,
        )
    ]


def _times(columns: int, most: int) -> str:
    return f"{most:,}" if columns == 1 else f"up to {most:,}"


def _charge_stored(case: Case, name: str, was: pa.Table, known: set[str]) -> Iterable[Charge]:
    """Stored columns nobody declared, and stored values that the customer's past does not give."""
    stored = case.probes[name]
    strange = [n for n in names_of(stored) if n not in case.names]
    target = None if name == "snapshot" else name
    file = f"features/{name}.parquet"
    if strange:
        yield Charge(UNDECLARED, f"column {some(strange)} of {file}",
                     f"none of the {len(case.names)} registered features makes it, so nothing "
                     "shows what it knew", STRANGE, target)  # fmt: skip
    wrong = {
        n: int(mask.sum())
        for n in names_of(stored)
        if n in case.names and n not in known and (mask := differing(stored[n], was[n])).any()
    }
    if wrong:
        named = sorted(wrong, key=lambda n: -wrong[n])
        evidence = (
            f"{_times(len(wrong), max(wrong.values()))} of {stored.num_rows:,} stored values are "
            "not those that the customer's records before the cutoff give"
        )
        if case.is_stale:
            evidence += " (the history is newer than the training sets)"
        yield Charge(KIND, f"column {some(named)} of {file}", evidence, STORED, target)
