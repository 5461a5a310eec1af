"""The MLflow tracking store and model registry: runs, registered versions and their aliases.

A retrain is a run, each target a child run. The store is a SQLite database and files below `mlruns/`;
it needs no server, and the project folder can move (see `mlflow_artifacts.py`).
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
from filelock import FileLock
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException

from features.settings import Workspace, disable_telemetry
from models.bundles.bundle import Bundle
from models.bundles.mlflow_artifacts import SCHEME

REQUIREMENTS = ["lightgbm", "numpy"]


def model_name(company: str, target: str) -> str:
    """The name of the registered model of a company's target."""
    return f"goodwill-{target}-{company}"


class Registry:
    """The tracking store of one project."""

    def __init__(self, workspace: Workspace) -> None:
        disable_telemetry()
        self.folder = workspace.mlruns
        self.artifacts = self.folder / "artifacts"
        self.artifacts.mkdir(parents=True, exist_ok=True)
        self.uri = f"sqlite:///{self.folder / 'mlflow.db'}"
        with FileLock(self.folder / "mlflow.lock"):  # processes that create it at once would crash
            self.client = MlflowClient(self.uri, self.uri)
            self.client.search_experiments(max_results=1)

    def _experiment(self, company: str) -> str:
        """The id of a company's experiment, created if needed.

        An experiment of an older version has an absolute location; when the project has moved since,
        it is kept under another name and a new one begins.
        """
        name = f"goodwill-{company}"
        found = self.client.get_experiment_by_name(name)
        if found and found.artifact_location.startswith((f"{SCHEME}:", self.artifacts.as_uri())):
            return str(found.experiment_id)
        if found:
            self.client.rename_experiment(found.experiment_id, f"{name} {found.experiment_id}")
        return str(self.client.create_experiment(name, f"{SCHEME}:/{company}"))

    def sweep(self, company: str) -> int:
        """End the runs that a killed retrain left running; returns their number."""
        left = self.client.search_runs([self._experiment(company)], "attributes.status = 'RUNNING'")
        for run in left:
            self.client.set_terminated(run.info.run_id, "KILLED")
        return len(left)

    @contextmanager
    def run(self, company: str, name: str, parent: str | None = None) -> Iterator[str]:
        """Open a run and yield its id; it ends FINISHED or FAILED. With `parent` it is a child run."""
        tags = {"mlflow.runName": name, "goodwill.company": company}
        if parent:
            tags["mlflow.parentRunId"] = parent
        run = self.client.create_run(self._experiment(company), tags=tags, run_name=name)
        run_id = str(run.info.run_id)
        try:
            yield run_id
        except BaseException:
            self.client.set_terminated(run_id, "FAILED")
            raise
        self.client.set_terminated(run_id, "FINISHED")

    def log(
        self,
        run_id: str,
        params: dict[str, Any],
        metrics: dict[str, float],
        texts: dict[str, str] | None = None,
        figures: dict[str, Figure] | None = None,
    ) -> None:
        """Log parameters, metrics, text files and plots to a run."""
        now = int(time.time() * 1000)
        self.client.log_batch(
            run_id,
            metrics=[Metric(name, number, now, 0) for name, number in metrics.items()],
            params=[Param(name, str(value)[:500]) for name, value in params.items()],
        )
        for name, text in (texts or {}).items():
            self.client.log_text(run_id, text, name)
        for name, figure in (figures or {}).items():
            self.client.log_figure(run_id, figure, f"plots/{name}.png")

    def register(self, run_id: str, company: str, bundle: Bundle, tags: dict[str, str]) -> str:
        """Store a model under its run and register it as a version, the new `challenger`.

        Returns the number of the version.
        """
        name = model_name(company, bundle.target)
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "model"
            mlflow.lightgbm.save_model(
                bundle.estimator.booster, str(model), pip_requirements=REQUIREMENTS
            )
            (model / "encoder.json").write_text(bundle.estimator.encoder.to_json(), "utf-8")
            (model / "calibrator.json").write_text(bundle.calibrator.to_json(), "utf-8")
            if bundle.tone:
                (model / "tone.json").write_text(bundle.tone.to_json(), "utf-8")
            self.client.log_artifacts(run_id, str(model), "model")
        try:
            self.client.create_registered_model(name, {"company": company})
        except MlflowException as err:
            if err.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = f"{self.client.get_run(run_id).info.artifact_uri}/model"
        version = self.client.create_model_version(name, source, run_id, tags)
        number = str(version.version)
        self.client.set_registered_model_alias(name, "challenger", number)
        return number

    def promote(self, company: str, target: str, version: str) -> None:
        """Make a version the champion; the former champion becomes `previous`."""
        name = model_name(company, target)
        before = self.champion(company, target)
        if before and before != version:
            self.client.set_registered_model_alias(name, "previous", before)
        self.client.set_registered_model_alias(name, "champion", version)

    def champion(self, company: str, target: str) -> str | None:
        """The version with the alias `champion`, or None."""
        try:
            found = self.client.get_model_version_by_alias(model_name(company, target), "champion")
        except MlflowException as err:
            if err.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise  # the store failed; that does not mean that there is no champion
            return None
        return str(found.version)
