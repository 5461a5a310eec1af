"""Customers whose texts a model does not know: a new region, plan or channel since it was trained."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.bundles.bundle import Bundle
from models.bundles.unknown_categories import NOTABLE


def count_unknown_categories(bundles: Mapping[str, Bundle], features: pa.Table) -> dict[str, int]:
    """How many rows hold a category that a target's model counts as missing.

    Columns of which the model knew as little when it was judged (such as a name of a person, rare
    each) tell nothing and are left out.
    """
    return {target: _rows(bundle, features) for target, bundle in bundles.items()}


def _rows(bundle: Bundle, features: pa.Table) -> int:
    judged = bundle.manifest.get("unknown_categories", {})
    unseen = np.zeros(features.num_rows, bool)
    for name, words in bundle.estimator.encoder.categories.items():
        if judged.get(name, 0.0) <= NOTABLE:
            values = features[name].cast(pa.string()).combine_chunks()
            known = pc.is_in(values, value_set=pa.array(words, pa.string()))
            strange = pc.and_(pc.is_valid(values), pc.invert(known))
            unseen |= strange.to_numpy(zero_copy_only=False)
    return int(unseen.sum())
