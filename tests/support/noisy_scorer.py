"""A fake scorer that fails, and writes in every way in which a library may write."""

import logging
import os
import sys
import threading
import warnings
from collections.abc import Sequence

from serve.schemas.score_schemas import Language
from serve.scoring.scorer import ScoreBatch
from support.fake_scorer import FakeScorer

CANARY = "Erika Mustermann +49 170 5550123"
#: Text of the writings, by the way in which they are written.
PRINTED, RAW, WARNED, LOGGED = "printed line", "raw line", "a warning", "a line\nof a library"


def _fail() -> None:
    raise ValueError(CANARY)


class NoisyScorer(FakeScorer):
    """Writes, then fails with a message that must not be logged."""

    def score_ids(
        self,
        ids: Sequence[str],
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> ScoreBatch:
        print(PRINTED)  # noqa: T201 - as a library does
        sys.stdout.flush()
        os.write(2, f"{RAW}\n".encode())
        warnings.warn(WARNED, RuntimeWarning, stacklevel=1)
        logging.getLogger("some.library").error(LOGGED)
        thread = threading.Thread(target=_fail, name="helper")
        thread.start()
        thread.join()
        raise RuntimeError(CANARY)


def load(path: str) -> NoisyScorer:
    """Load a scorer at once."""
    return NoisyScorer(path)
