"""The evaluation of 5,000 customers: the first, the next night's, and the threads of its small models.

`GOODWILL_BENCH_TRAINED` may name the home of a trained sample company; it is copied.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.trained_sample import trained_sample
from features.config.company import Company
from features.progress import Steps, silent_steps
from features.settings import Workspace
from insight.complaints.complaint_analysis import _analyse, analyse_complaints
from insight.evaluation.evaluation_files import evaluation_folder
from insight.evaluation.run_evaluation import evaluate_company

STEPS = {
    "customer status": "status, groups, migration",
    "indicators": "indicators, forecasts, alerts",
    "complaints and causes": "complaints and their causes",
    "drivers, targets, segments": "drivers, targets, segments",
}


def measure() -> str:
    """Evaluate twice and study the complaints both ways; the tables of seconds."""
    with tempfile.TemporaryDirectory() as folder:
        company, workspace = trained_sample(Path(folder))
        shutil.rmtree(evaluation_folder(workspace, company.name), ignore_errors=True)
        nights = [_steps(company, workspace) for _ in range(2)]
        study = {
            "one thread (ours)": _seconds(lambda: analyse_complaints(company, workspace)),
            "as many threads as cores": _seconds(lambda: _analyse(company, workspace)),
        }
    first, next_night = (sum(night.values()) for night in nights)
    ours, other = study.values()
    return "\n".join(
        [
            "# The evaluation of 5,000 customers",
            "",
            "Seconds of each step. The first evaluation also computes three earlier months.",
            "",
            "| step | first | next night |",
            "|---|--:|--:|",
            *(f"| {STEPS[s]} | {nights[0][s]:.1f} | {nights[1][s]:.1f} |" for s in STEPS),
            f"| together | {first:.1f} | {next_night:.1f} |",
            "",
            f"The next night takes {next_night / first:.2f} of the first.",
            "",
            "| complaint causes: threads of each small model | seconds |",
            "|---|--:|",
            *(f"| {name} | {seconds:.1f} |" for name, seconds in study.items()),
            "",
            f"One thread takes {ours / other:.2f} of the time, and far less while other work runs, "
            "because waiting threads delay each other.",
            "",
        ]
    )


def _steps(company: Company, workspace: Workspace) -> dict[str, float]:
    """The seconds of every step of one evaluation."""
    log = workspace.log("evaluation")
    log.unlink(missing_ok=True)
    evaluate_company(company, workspace, Steps(log, silent_steps().console))
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    found = {line["step"]: float(line["seconds"]) for line in lines if line.get("step") in STEPS}
    sys.stderr.write(f"  {sum(found.values()):.1f} s\n")
    return found


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
