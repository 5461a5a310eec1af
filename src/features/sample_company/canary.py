"""The canary customer: its marked personal data must not appear in any file made from the tables."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

ACCOUNT = "A0000000"
#: Name, phone and mail address.
CANARY = ("CANARY Quietwater Ltd", "+000-CANARY-4711", "canary@canary.invalid")


def is_canary(accounts: pa.Array) -> NDArray[np.bool_]:
    """Mask of the canary's rows."""
    return np.asarray(pc.equal(accounts, ACCOUNT).to_numpy(zero_copy_only=False))


def sign_canary_comments(comments: pa.Array, accounts: pa.Array) -> pa.Array:
    """The comments, where those of the canary are signed with name, phone and mail address."""
    marked = pc.binary_join_element_wise(comments, ", ".join(CANARY), " ")
    return pc.if_else(pc.equal(accounts, ACCOUNT), marked, comments)
