"""MLflow: every retrain is a run, every target a child run, every version registered with aliases.

The only file that knows MLflow. The store is SQLite and files under `mlruns/`, needs no server, and
follows the project when its folder is moved.
"""

import os
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
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel, SqlRun
from sqlalchemy import create_engine, update
from sqlalchemy.orm import Session

from features.settings import Workspace, disable_telemetry
from models.bundles.bundle import Bundle

REQUIREMENTS = ["lightgbm", "numpy"]


def model_name(company: str, target: str) -> str:
    """The registered model of a company's target."""
    return f"goodwill-{target}-{company}"


class Registry:
    """The tracking store of one project."""

    def __init__(self, workspace: Workspace) -> None:
        disable_telemetry()
        self.folder = workspace.mlruns
        self.artifacts = self.folder / "artifacts"
        self.artifacts.mkdir(parents=True, exist_ok=True)
        self.uri = f"sqlite:///{self.folder / 'mlflow.db'}"
        with FileLock(self.folder / "mlflow.lock"):  # several processes creating it would crash
            self.client = MlflowClient(self.uri, self.uri)
            self.client.search_experiments(max_results=1)
            self._follow_the_folder()

    def _follow_the_folder(self) -> None:
        """Make stored paths those of today: MLflow stores them absolute, and folders move."""
        marker = self.folder / "home.txt"
        here = self.artifacts.as_uri()
        before = marker.read_text(encoding="utf-8") if marker.exists() else here
        if before != here:
            engine = create_engine(self.uri)
            columns = (
                SqlExperiment.artifact_location,
                SqlRun.artifact_uri,
                SqlLoggedModel.artifact_location,
                SqlModelVersion.source,
                SqlModelVersion.storage_location,
            )
            with Session(engine) as session:
                for column in columns:
                    moved = _replaced(column, before, here)
                    session.execute(
                        update(column.class_)
                        .where(column.startswith(before))
                        .values({column.key: moved})
                    )
                session.commit()
            engine.dispose()
        marker.write_text(here, encoding="utf-8")

    def _experiment(self, company: str) -> str:
        name = f"goodwill-{company}"
        found = self.client.get_experiment_by_name(name)
        if found:
            return str(found.experiment_id)
        place = f"{self.artifacts.as_uri()}/{company}"
        return str(self.client.create_experiment(name, artifact_location=place))

    def sweep(self, company: str) -> int:
        """End runs that an earlier, killed retrain left running; how many."""
        left = self.client.search_runs([self._experiment(company)], "attributes.status = 'RUNNING'")
        for run in left:
            self.client.set_terminated(run.info.run_id, "KILLED")
        return len(left)

    @contextmanager
    def run(self, company: str, name: str, parent: str | None = None) -> Iterator[str]:
        """A run, ended FINISHED or FAILED; yields its id. `parent` makes it a child run."""
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
        """Parameters, metrics, text files and plots of a run."""
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
        """Store the booster and its JSON files under the run and make a version; its number.

        The version becomes the `challenger`.
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
        """Make a version the champion; the one before becomes `previous`."""
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
                raise  # a store that fails is not a model without a champion
            return None
        return str(found.version)


def _replaced(column: Any, before: str, here: str) -> Any:
    from sqlalchemy import func

    return func.replace(column, before, here)


def code_revision(workspace: Workspace) -> str:
    """The git commit of the project, or "unknown" outside a checkout."""
    head = workspace.home / ".git" / "HEAD"
    if not head.is_file():
        return os.environ.get("GOODWILL_REVISION", "unknown")
    text = head.read_text(encoding="utf-8").strip()
    if not text.startswith("ref: "):
        return text
    ref = workspace.home / ".git" / text[5:]
    return ref.read_text(encoding="utf-8").strip() if ref.is_file() else "unknown"
