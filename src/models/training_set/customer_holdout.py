"""Split the customers of a snapshot, who have no time order, by a hash of their ids.

The cutoff of their rows is a place in the last second before the end of the data, by that hash. So
whatever selects rows by cutoff selects customers at random. A customer keeps the place in every later
snapshot: no model is compared on a customer that it has learnt from.
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

#: The places of a second, in microseconds.
PLACES = 1_000_000


def place_sql(customer: str, end: str) -> str:
    """SQL for the cutoff of a customer's row: their place in the second before `end`, a timestamptz."""
    digest = f"('0x' || substr(md5({customer}), 1, 8))::bigint"
    return f"{end} - to_microseconds({PLACES} - {digest} % {PLACES})"


def places(cutoff: Ints) -> Ints:
    """The place of each row, 0 to 999,999, which does not depend on the end of the data."""
    return np.asarray(cutoff % PLACES, np.int64)


def second_of(cutoff: Ints) -> int:
    """The start of the second that holds the cutoffs, in microseconds since 1970."""
    return int(cutoff.min()) // PLACES * PLACES


def share_start(cutoff: Ints, share: float) -> int:
    """The cutoff from which on the last `share` of the places lies."""
    return second_of(cutoff) + round((1 - share) * PLACES)
