"""The helpers of these tests are modules beside them and beside the tests of models."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "models")]  # last: other folders have a conftest, too
