"""Which groups are too small to be shown, so that no small one follows from the total either."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def suppress_small_groups(answered: Sequence[int], fewest: int) -> NDArray[np.bool_]:
    """Whether each group of one total is hidden: those of fewer than `fewest` answers, and then the
    next smallest as long as the hidden ones together have fewer.

    The total less the groups shown is the hidden ones together: a single one would stand bare.
    Groups without an answer give nothing away.
    """
    sizes = np.asarray(answered, np.int64)
    hidden = sizes < fewest
    for place in np.argsort(sizes, kind="stable"):
        if not 0 < sizes[hidden].sum() < fewest:
            break
        hidden[place] = True
    return np.asarray(hidden)
