"""The MLflow tracking store: a company's experiment, and the runs in it.

A retrain is a run, each target a child run. The store is a SQLite database and files below `mlruns/`;
it needs no server, and the project folder can move (see `mlflow_artifacts.py`). It holds no customer's
data: of a data set, its columns, digest and counts.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

from features.errors import EnvironmentFailed
from features.settings import Workspace, disable_telemetry
from models.bundles.mlflow_artifacts import SCHEME
from models.bundles.model_manifest import UNKNOWN_REVISION, code_revision
from models.bundles.store_failures import check_database, explained, silence_mlflow_log
from models.learners.learning_curve import LearningCurve
from models.training_set.dataset_summary import DatasetSummary

#: Seconds to wait for a process that creates the database; it takes five.
CREATION_SECONDS = 120
#: MLflow's tag for the description of a run or an experiment, in Markdown.
DESCRIPTION = "mlflow.note.content"
#: MLflow's tag for a kind of experiment whose pages show runs and charts, not a language model's traces.
KIND = {"mlflow.experimentKind": "custom_model_development"}
#: In the address of one of MLflow's pages, the view for trained models; without it, a page opens in that
#: for language models.
MACHINE_LEARNING = "workflowType=machine_learning"


class TrackingStore:
    """The tracking store of one project.

    A damaged, locked or foreign database, and a full disk, raise EnvironmentFailed.
    """

    def __init__(self, workspace: Workspace) -> None:
        disable_telemetry()
        silence_mlflow_log()
        self.workspace = workspace
        self.folder = workspace.mlruns
        self.artifacts = self.folder / "artifacts"
        self.database = workspace.tracking_database
        self.uri = f"sqlite:///{self.database}"
        self._experiments = dict[str, str]()
        lock = FileLock(self.folder / "mlflow.lock", timeout=CREATION_SECONDS)
        with explained(self.database):
            self.artifacts.mkdir(parents=True, exist_ok=True)
            try:
                with lock:  # processes that create it at once would crash
                    check_database(self.database)
                    self.client = MlflowClient(self.uri, self.uri)
                    self.client.search_experiments(max_results=1)
            except Timeout:
                raise EnvironmentFailed(
                    f"another process has held {lock.lock_file} for {CREATION_SECONDS} s while it "
                    "opens the tracking database; end it, then run the command again"
                ) from None

    def _experiment(self, company: str) -> str:
        """The id of a company's experiment, created if needed.

        An experiment of an older version has an absolute location, and a copy of the project would
        write there. It is kept under another name, and a new one begins.
        """
        name = f"goodwill-{company}"
        found = self.client.get_experiment_by_name(name)
        if found and found.artifact_location.startswith(f"{SCHEME}:"):
            if not found.tags.keys() >= KIND.keys():  # it was created by an older version
                self._set_experiment_tags(found.experiment_id, _experiment_tags(company))
            return str(found.experiment_id)
        if found:
            self.client.rename_experiment(found.experiment_id, f"{name} {found.experiment_id}")
        made = self.client.create_experiment(
            name, f"{SCHEME}:/{company}", _experiment_tags(company)
        )
        return str(made)

    def _set_experiment_tags(self, experiment: str, tags: dict[str, str]) -> None:
        for key, value in tags.items():
            self.client.set_experiment_tag(experiment, key, value)

    def sweep(self, company: str) -> int:
        """End the runs that a killed retrain left running; returns their number."""
        with explained(self.database):
            experiment = self._experiment(company)
            left = self.client.search_runs([experiment], "attributes.status = 'RUNNING'")
            for run in left:
                self.client.set_terminated(run.info.run_id, "KILLED")
        return len(left)

    @contextmanager
    def run(
        self, company: str, name: str, parent: str | None = None, span: "Span | None" = None
    ) -> Iterator[str]:
        """Open a run and yield its id; it ends FINISHED or FAILED. With `parent` it is a child run.

        `span` are the times of a run that is logged afterwards.
        """
        tags = {"goodwill.company": company, **_source_tags(self.workspace)}
        if parent:
            tags["mlflow.parentRunId"] = parent
        start, end = (_milliseconds(moment) for moment in span or (None, None))
        with explained(self.database):
            experiment = self._experiment(company)
            run = self.client.create_run(experiment, start, tags, name)
        run_id = str(run.info.run_id)
        self._experiments[run_id] = experiment
        try:
            yield run_id
        except BaseException:
            # The first failure counts; `sweep` ends the run later.
            with suppress(EnvironmentFailed):
                self._end(run_id, "FAILED")
            raise
        self._end(run_id, "FINISHED", end)

    def _end(self, run_id: str, status: str, end: int | None = None) -> None:
        with explained(self.database):
            self.client.set_terminated(run_id, status, end)

    def log(
        self,
        run_id: str,
        params: dict[str, Any],
        metrics: dict[str, float],
        texts: dict[str, str] | None = None,
        figures: dict[str, Figure] | None = None,
        description: str = "",
    ) -> None:
        """Log parameters, metrics, text files, plots and a description in Markdown to a run."""
        now = int(time.time() * 1000)
        with explained(self.database):
            self.client.log_batch(
                run_id,
                metrics=[Metric(name, number, now, 0) for name, number in metrics.items()],
                params=[Param(name, str(value)[:500]) for name, value in params.items()],
                tags=[RunTag(DESCRIPTION, description)] if description else [],
            )
            for name, text in (texts or {}).items():
                self.client.log_text(run_id, text, name)
            for name, figure in (figures or {}).items():
                self.client.log_figure(run_id, figure, f"plots/{name}.png")

    def log_table(self, run_id: str, name: str, rows: list[dict[str, Any]]) -> None:
        """Log rows with the same keys as a file that MLflow shows as a table."""
        content = {"columns": [*rows[0]], "data": [[*row.values()] for row in rows]}
        with explained(self.database):
            self.client.log_text(run_id, json.dumps(content), name)
            tag = json.dumps([{"path": name, "type": "table"}])
            self.client.set_tag(run_id, "mlflow.loggedArtifacts", tag)

    def log_curve(self, run_id: str, curve: LearningCurve) -> None:
        """Log a learning curve as two metrics with the round as step, in one batch."""
        now, name = int(time.time() * 1000), f"learning_curve/{curve.loss}"
        points = [
            Metric(f"{name}_{part}", loss, now, step)
            for step, train, validation in curve.points()
            for part, loss in (("train", train), ("validation", validation))
        ]
        with explained(self.database):
            self.client.log_batch(run_id, metrics=points)

    def log_datasets(self, run_id: str, datasets: Iterable[DatasetSummary]) -> None:
        """Log what a run learnt from or was judged on, as its dataset inputs."""
        with explained(self.database):
            self.client.log_inputs(run_id, [_dataset_input(dataset) for dataset in datasets])

    def page(self, run_id: str, artifact: str = "") -> str:
        """The address of the page of a run opened here, or of a file of it, within MLflow's pages."""
        path = f"#/experiments/{self._experiments[run_id]}/runs/{run_id}"
        return f"{path}{artifact and f'/artifacts/{artifact}'}?{MACHINE_LEARNING}"


#: When something began and ended.
Span = tuple[datetime, datetime]


def _milliseconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment else None


def _experiment_tags(company: str) -> dict[str, str]:
    return {
        **KIND,
        DESCRIPTION: f"Models of {company}. A retrain is a run, each target's judged model a run below "
        "it, and the refit that may serve a run below that. `try` runs compare features; the trials "
        "of `goodwill tune` are below a `tune` run.",
    }


def _source_tags(workspace: Workspace) -> dict[str, str]:
    """Which program made a run, at which git commit, under MLflow's names."""
    in_notebook = "ipykernel" in sys.modules
    words = [w for w in sys.argv[1:2] if w.isalpha() and not in_notebook]  # the verb of `goodwill`
    tags = {
        "mlflow.source.name": " ".join([_program(Path(sys.argv[0])), *words]),
        "mlflow.source.type": "NOTEBOOK" if in_notebook else "LOCAL",
    }
    revision = code_revision(workspace)
    return tags | ({"mlflow.source.git.commit": revision} if revision != UNKNOWN_REVISION else {})


def _program(path: Path) -> str:
    """The name of the program that runs; `python -m serve.cli` is `goodwill`."""
    return "goodwill" if path.parts[-3:] == ("serve", "cli", "__main__.py") else path.name


def _dataset_input(summary: DatasetSummary) -> DatasetInput:
    schema = [{"type": kind, "name": name, "required": True} for name, kind in summary.columns]
    counts = dict(summary.counts)
    rows = counts.pop("rows")
    profile = {
        "num_rows": rows,
        "num_elements": rows * len(summary.columns),
        **counts,
        "first cutoff": summary.cutoffs[0],
        "last cutoff": summary.cutoffs[1],
    }
    dataset = Dataset(
        summary.name,
        summary.digest,
        "local",
        json.dumps({"uri": summary.source}),
        json.dumps({"mlflow_colspec": schema}),
        json.dumps(profile),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", summary.context)])
