"""Customers in categories a model does not know: how many, and whether more than when it was judged.

A model knows the categories that are frequent in its training; the others count as missing. A few
rare ones are no matter. A new region, plan or channel is: the model then knows less than it did.
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.dataset import dataset

from models.bundles.bundle import Bundle
from models.evaluation.slices import is_attribute
from models.learners.feature_encoder import Encoder

#: So many points of the share above that of the test rows are told.
NOTABLE = 0.05


def unknown_shares(encoder: Encoder, rows: pa.Table | Path) -> dict[str, float]:
    """The share of rows whose category the model does not know, by attribute.

    `rows` are a table or where it lies; a row without a category is not counted as unknown.
    """
    source = dataset(rows)
    names = [n for n in encoder.categories if n in source.schema.names and is_attribute(n)]
    unknown = dict.fromkeys(names, 0)
    total = 0
    for batch in source.to_batches(columns=names):
        total += batch.num_rows
        for name in names:
            known = pa.array(encoder.categories[name], pa.string())
            value = batch.column(name).cast(pa.string())
            strange = pc.and_(pc.is_valid(value), pc.invert(pc.is_in(value, value_set=known)))
            unknown[name] += pc.sum(strange).as_py() or 0
    return {name: n / total for name, n in unknown.items()} if total else {}


def unknown_category_warnings(bundle: Bundle, rows: pa.Table | Path) -> list[str]:
    """Attributes with notably more customers in unknown categories than when the model was judged.

    One sentence each. Nothing for a model whose manifest does not tell its share, as old ones do.
    """
    then: Mapping[str, float] = bundle.manifest.unknown_categories
    now = unknown_shares(bundle.estimator.encoder, rows) if then else {}
    return [
        f"{name}: {share:.0%} of the customers are in categories that {bundle.target} version "
        f"{bundle.version} does not know ({then[name]:.0%} when it was judged); they count as "
        "missing until it is trained again"
        for name, share in now.items()
        if name in then and share > then[name] + NOTABLE
    ]
