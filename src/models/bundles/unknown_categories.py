"""The share of customers in categories unknown to a model, compared with its test rows.

A model knows the categories that are frequent in its training rows; all others count as missing. A
few rare ones do not matter. A new region, plan or channel does: the model then knows less.
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from features.execution.partitions import open_parquet
from models.bundles.bundle import Bundle
from models.evaluation.slices import is_attribute
from models.learners.feature_encoder import Encoder

#: An increase of the share over that of the test rows which gives a warning.
NOTABLE = 0.05


def unknown_shares(encoder: Encoder, rows: pa.Table | Path) -> dict[str, float]:
    """The share of rows with a category unknown to the model, by attribute.

    `rows` is a table or its path. A row without a category does not count as unknown.
    """
    source = open_parquet(rows)
    names = [n for n in encoder.categories if n in source.schema.names and is_attribute(n)]
    unknown = dict.fromkeys(names, 0)
    total = 0
    for batch in source.to_batches(columns=names):
        total += batch.num_rows
        for name in names:
            known = pa.array(encoder.categories[name], pa.string())
            value = batch.column(name).cast(pa.string())
            unseen = pc.and_(pc.is_valid(value), pc.invert(pc.is_in(value, value_set=known)))
            unknown[name] += pc.sum(unseen).as_py() or 0
    return {name: n / total for name, n in unknown.items()} if total else {}


def unknown_category_warnings(bundle: Bundle, rows: pa.Table | Path) -> list[str]:
    """Warn of attributes with notably more customers in unknown categories than in the test rows.

    One sentence each; none for a model of an older version, whose manifest has no shares.
    """
    then: Mapping[str, float] = bundle.manifest.unknown_categories
    now = unknown_shares(bundle.estimator.encoder, rows) if then else {}
    return [
        f"{name}: {share:.0%} of the customers are in categories that {bundle.target} version "
        f"{bundle.version} does not know ({then[name]:.0%} of its test rows); they count as "
        "missing until the next training"
        for name, share in now.items()
        if name in then and share > then[name] + NOTABLE
    ]
