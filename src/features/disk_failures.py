"""A full, read-only or failing disk, or another user's file, reported as one sentence."""

import errno
import os

from features.errors import EnvironmentFailed

#: What the system says of a disk: full, beyond the quota or the largest size, read-only, failing.
CODES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
#: What it says of a file that another user owns.
FORBIDDEN = (errno.EACCES, errno.EPERM)


def disk_failure(err: BaseException) -> str | None:
    """Say what the disk refused, where if that is known, and the remedy; None for any other error.

    DuckDB, PyArrow and MLflow wrap the system's error, or keep only its text.
    """
    for code in (*CODES, *FORBIDDEN):
        reason = os.strerror(code)
        if getattr(err, "errno", None) == code or reason in str(err):
            place = getattr(err, "filename", None) or "a file"
            remedy = (
                "let the user of this command read and write it"
                if code in FORBIDDEN
                else "make sure that the disk is neither full, read-only nor failing"
            )
            said = f"{place} could not be read or written ({reason})"
            return f"{said}; {remedy}, then run the command again"
    return None


def machine_failed(err: BaseException) -> bool:
    """Whether disk, memory or tracking database failed, so that going on is pointless."""
    return isinstance(err, EnvironmentFailed | MemoryError) or disk_failure(err) is not None
