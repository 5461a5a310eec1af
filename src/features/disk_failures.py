"""A full or read-only disk, told as one sentence instead of a traceback."""

import errno
import os

#: What the operating system says when it does not store more: disk full, quota, read-only, size limit.
CODES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


def disk_failure(err: BaseException) -> str | None:
    """Say what the disk refused, where if that is known, and the remedy; None for any other error.

    DuckDB, PyArrow and MLflow wrap the system's error, or keep only its text.
    """
    for code in CODES:
        reason = os.strerror(code)
        if getattr(err, "errno", None) == code or reason in str(err):
            place = getattr(err, "filename", None) or "a file"
            return (
                f"{place} could not be written ({reason}); free space or make the folder writable, "
                "then run the command again"
            )
    return None
