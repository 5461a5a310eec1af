"""A trained sample company for the benchmarks of serving.

`GOODWILL_BENCH_TRAINED` may name the home of one that is trained already; it is copied.
"""

import os
import shutil
from pathlib import Path

from benchmarks.reasons import sample
from features.config.company import Company, load_company
from features.progress import silent_steps
from features.settings import Workspace
from models.pipeline.retrain import retrain


def trained_sample(home: Path) -> tuple[Company, Workspace]:
    """The sample company of 5,000 customers with its champions and snapshot, below `home`."""
    ready = os.environ.get("GOODWILL_BENCH_TRAINED")
    if ready:
        for part in ("data/sample", "data/sample.toml", "mlruns/serving/sample"):
            source, place = Path(ready) / part, home / part
            place.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, place)
        return load_company(home / "data" / "sample.toml"), Workspace(home)
    workspace = Workspace(home)
    company = sample(workspace)
    retrain(company, workspace, silent_steps())
    return company, workspace
