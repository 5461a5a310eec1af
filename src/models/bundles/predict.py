"""From a bundle and a feature table to outputs; the one path for the scores file and the service."""

import numpy as np
import pyarrow as pa

from models.bundles.bundle import Bundle
from models.targets.outputs import Outputs, segment_bounds, segments
from models.targets.registry import TARGETS

#: What each target answers, in the order of the scores file.
OUTPUTS = {target.name: (*target.outputs, "abstain") for target in TARGETS.values()}

#: What reasons explain: the mix of class scores that makes one number of several.
MIXES = {t.name: np.array(t.mix) for t in TARGETS.values() if t.mix}


def predict(bundle: Bundle, features: pa.Table) -> Outputs:
    """The outputs of one target for each row of a feature table.

    Probabilities lie within (0, 1); `satisfaction.score` is the expected level, 0 to 100;
    `value.expected` is money over the horizon; flags are booleans. `low` and `high` hold nine of ten
    outcomes; `abstain` marks rows unlike any training row, whose numbers are guesses. What a model
    of an older version cannot tell is NaN.
    """
    calibrated = bundle.calibrated(features)
    outputs = TARGETS[bundle.target].answer(calibrated, features, bundle.manifest)
    unlike = np.zeros(features.num_rows, bool)
    if bundle.support:
        unlike = bundle.support.unlike(bundle.estimator, features)
    return {**outputs, "abstain": unlike}


__all__ = ["MIXES", "OUTPUTS", "predict", "segment_bounds", "segments"]
