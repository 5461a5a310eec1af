"""Predict a target's outputs with a bundle; used for the scores file and for requests."""

import numpy as np
import pyarrow as pa

from models.bundles.bundle import Bundle
from models.targets.outputs import with_typical
from models.targets.registry import TARGETS
from models.targets.target import Outputs

#: The outputs of each target, in the order of the scores file.
OUTPUTS = {target.name: (*target.outputs, "abstain") for target in TARGETS.values()}


def predict(bundle: Bundle, features: pa.Table) -> Outputs:
    """Predict the outputs of one target for each row of a feature table.

    Probabilities lie within (0, 1); `satisfaction.score` is the expected level, 0 to 100;
    `value.expected` is the mean and `value.typical` the median of the money over the horizon; flags are
    booleans. `low` and `high` are a 90% prediction interval; `abstain` marks rows out of distribution,
    whose predictions are unreliable.
    Outputs that a model of an older version does not have are NaN.
    """
    calibrated = bundle.calibrated(features)
    outputs = TARGETS[bundle.target].make_outputs(calibrated, features, bundle.manifest.content)
    typical = bundle.typical_value(features)
    if typical is not None:
        outputs = with_typical(outputs, typical)
    unlike = np.zeros(features.num_rows, bool)
    if bundle.support:
        unlike = bundle.support.out_of_distribution(bundle.estimator, features)
    return {**outputs, "abstain": unlike}
