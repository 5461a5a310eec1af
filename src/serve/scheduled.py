"""What a scheduled night does for a company: retrain, evaluate, report."""

from pathlib import Path

from features.errors import GoodwillError
from models.job import Outcome
from serve.run import Run


def whole_night(run: Run) -> tuple[list[Outcome], list[Path]]:
    """Retrain, evaluate and report; what became of each target, and the files people look at.

    Settings of the evaluation are checked before anything runs. What only the data show to be wrong
    costs the evaluation and not the report, and is raised in the end.
    """
    from insight.evaluation.choices import choices_of
    from insight.evaluation.evaluate import evaluate
    from insight.report.page import write_report
    from insight.usability import write_usability
    from models.retrain import only_one, retrain

    company, workspace, steps = run.company, run.workspace, run.steps
    choices_of(company)
    outcomes = retrain(company, workspace, steps)
    write_usability(company, workspace, steps)
    if not any(o.version for o in outcomes):
        return outcomes, []
    refused: GoodwillError | None = None
    try:
        with only_one(company, workspace):
            evaluate(company, workspace, steps)
    except GoodwillError as err:
        refused = err
    report = write_report(company, workspace, steps)
    if refused:
        raise refused
    return outcomes, [workspace.scores(company.name), report]
