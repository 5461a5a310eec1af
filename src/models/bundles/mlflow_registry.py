"""The MLflow tracking store and model registry: runs, registered versions and their aliases.

A retrain is a run, each target a child run. The store is a SQLite database and files below `mlruns/`;
it needs no server, and the project folder can move (see `mlflow_artifacts.py`).

What serves is decided by the pointer files; the aliases here follow them (`follow_pointers`). A number
of a version is never given twice, even if the database was lost (`bundle_folders.py`).
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import mlflow
from filelock import FileLock, Timeout
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException

from features.errors import DataRefused, EnvironmentFailed
from features.settings import Workspace, disable_telemetry
from features.text.comment_score_model import FILE as TONE_FILE
from models.bundles.bundle import TYPICAL_FILE, Bundle, read_json
from models.bundles.bundle_folders import highest_number, kept_versions, take_number
from models.bundles.champions import POINTER, serving_version
from models.bundles.mlflow_artifacts import SCHEME
from models.bundles.model_manifest import VERSION_TAGS
from models.bundles.store_failures import check_database, explained, silence_mlflow_log

REQUIREMENTS = ["lightgbm", "numpy"]
#: Tag of a registered model: up to this number, its versions were restored from the bundles on disk.
RESTORED = "goodwill.restored_until"
#: Seconds to wait for a process that creates the database; it takes five.
CREATION_SECONDS = 120


def model_name(company: str, target: str) -> str:
    """The name of the registered model of a company's target."""
    return f"goodwill-{target}-{company}"


class Registry:
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
            return str(found.experiment_id)
        if found:
            self.client.rename_experiment(found.experiment_id, f"{name} {found.experiment_id}")
        return str(self.client.create_experiment(name, f"{SCHEME}:/{company}"))

    def sweep(self, company: str) -> int:
        """End the runs that a killed retrain left running; returns their number."""
        with explained(self.database):
            experiment = self._experiment(company)
            left = self.client.search_runs([experiment], "attributes.status = 'RUNNING'")
            for run in left:
                self.client.set_terminated(run.info.run_id, "KILLED")
        return len(left)

    @contextmanager
    def run(self, company: str, name: str, parent: str | None = None) -> Iterator[str]:
        """Open a run and yield its id; it ends FINISHED or FAILED. With `parent` it is a child run."""
        tags = {"mlflow.runName": name, "goodwill.company": company}
        if parent:
            tags["mlflow.parentRunId"] = parent
        with explained(self.database):
            run = self.client.create_run(self._experiment(company), tags=tags, run_name=name)
        run_id = str(run.info.run_id)
        try:
            yield run_id
        except BaseException:
            with suppress(
                EnvironmentFailed
            ):  # the first failure counts; `sweep` ends the run later
                self._end(run_id, "FAILED")
            raise
        self._end(run_id, "FINISHED")

    def _end(self, run_id: str, status: str) -> None:
        with explained(self.database):
            self.client.set_terminated(run_id, status)

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
        with explained(self.database):
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

        Returns the number of the version, which no version of the target ever had.
        """
        name = model_name(company, bundle.target)
        with explained(self.database):
            self._store_model(run_id, bundle)
            self._create_model(company, bundle.target)
            source = f"{self.client.get_run(run_id).info.artifact_uri}/model"
            number = self._new_version(company, bundle.target, source, run_id, tags)
            self.client.set_registered_model_alias(name, "challenger", str(number))
        return str(number)

    def _store_model(self, run_id: str, bundle: Bundle) -> None:
        """Log the files of a model, in MLflow's own format, to its run."""
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "model"
            mlflow.lightgbm.save_model(
                bundle.estimator.booster, str(model), pip_requirements=REQUIREMENTS
            )
            (model / "encoder.json").write_text(bundle.estimator.encoder.to_json(), "utf-8")
            (model / "calibrator.json").write_text(bundle.calibrator.to_json(), "utf-8")
            if bundle.typical:
                (model / TYPICAL_FILE).write_text(bundle.typical.to_text(), "utf-8")
            if bundle.tone:
                (model / TONE_FILE).write_text(bundle.tone.to_json(), "utf-8")
            self.client.log_artifacts(run_id, str(model), "model")

    def _create_model(self, company: str, target: str) -> None:
        """Create the registered model of a target unless it exists."""
        try:
            self.client.create_registered_model(model_name(company, target), {"company": company})
        except MlflowException as err:
            if err.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _new_version(
        self, company: str, target: str, source: str, run_id: str, tags: dict[str, str]
    ) -> int:
        """Register a version under the next number that neither registry nor disk has taken.

        MLflow counts by itself, also its deleted versions. After a loss it would begin with a number
        that the disk has taken; such a version is deleted, until MLflow has caught up.
        """
        name = model_name(company, target)
        taken = highest_number(self.workspace, company, target)
        while True:
            number = int(self.client.create_model_version(name, source, run_id, tags).version)
            if number > taken:
                break
            self.client.delete_model_version(name, str(number))
        take_number(self.workspace, company, target, number)
        return number

    def follow_pointers(self, company: str, serving: Path) -> list[str]:
        """Make the aliases of a company follow the pointers in a folder; returns notes on differences.

        They differ when a run was killed between both, or when the database is lost or an older one.
        Versions that it lacks are registered again from their bundles first.
        """
        notes = list[str]()
        for target in sorted(pointer.parent.name for pointer in serving.glob(f"*/{POINTER}")):
            version = serving_version(serving, target)
            if version is None or not version.isdecimal():
                notes.append(f"{target}: its pointer cannot be read, so the MLflow aliases stay")
                continue
            with explained(self.database):
                notes += self._restore_versions(company, target, serving)
                if self.champion(company, target) != version:
                    notes.append(self._follow(company, target, version))
                    self._name_previous(company, target, kept_versions(serving, target))
        return notes

    def _follow(self, company: str, target: str, version: str) -> str:
        """Make a serving version the champion; if the registry lacks it, there is none."""
        name, before = model_name(company, target), self.champion(company, target)
        if self._knows(name, version):
            self.promote(company, target, version)
            return f"{target}: version {version} serves; the MLflow aliases follow it now"
        if before:
            self.client.set_registered_model_alias(name, "previous", before)
            self.client.delete_registered_model_alias(name, "champion")
        return (
            f"{target}: version {version} serves, and the MLflow registry does not have it; no "
            "version has the alias champion until the next promotion"
        )

    def _name_previous(self, company: str, target: str, kept: list[str]) -> None:
        """Without a `previous`, it is the stored version before the champion, as for a rollback."""
        name, champion = model_name(company, target), self.champion(company, target)
        if champion not in kept or self._aliased(name, "previous"):
            return
        known = [v for v in kept[: kept.index(champion)] if self._knows(name, v)]
        if known:
            self.client.set_registered_model_alias(name, "previous", known[-1])

    def _restore_versions(self, company: str, target: str, serving: Path) -> list[str]:
        """Register again, under their numbers, bundles that are newer than the newest known version."""
        name = model_name(company, target)
        kept = [version for version in kept_versions(serving, target) if version.isdecimal()]
        newest = self._newest(name)
        last, restored = max(map(int, kept), default=0), list[str]()
        if last <= newest or last <= self._restored_until(name):
            return []
        self._create_model(company, target)
        while newest < last:
            wanted = str(newest + 1)
            manifest = _manifest(serving / target / wanted) if wanted in kept else {}
            newest = int(self._create_from(name, company, manifest))
            if manifest and str(newest) == wanted:
                restored.append(wanted)
            else:  # a number without a bundle, or one that was deleted in MLflow
                self.client.delete_model_version(name, str(newest))
        self.client.set_registered_model_tag(name, RESTORED, str(last))
        if not restored:
            return []
        self.client.set_registered_model_alias(name, "challenger", restored[-1])
        return [
            f"{target}: version {', '.join(restored)} registered in MLflow again, from its bundle"
        ]

    def _create_from(self, name: str, company: str, manifest: dict[str, Any]) -> str:
        """Create the version of a bundle, whose run and its files may be gone; returns its number."""
        run_id = str(manifest.get("run_id", "unknown"))
        tags = {key: str(manifest[key]) for key in VERSION_TAGS if key in manifest}
        source = f"{SCHEME}:/{company}/{run_id}/artifacts/model"
        return str(self.client.create_model_version(name, source, run_id, tags).version)

    def _restored_until(self, name: str) -> int:
        try:
            return int(self.client.get_registered_model(name).tags.get(RESTORED, "0"))
        except MlflowException as err:
            if err.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return 0

    def _newest(self, name: str) -> int:
        """The highest number of a model's versions, without deleted ones; 0 for none."""
        found = self.client.search_model_versions(
            f"name = '{name}'", max_results=1, order_by=["version_number DESC"]
        )
        return int(found[0].version) if found else 0

    def _knows(self, name: str, version: str) -> bool:
        try:
            self.client.get_model_version(name, version)
        except MlflowException as err:
            if err.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False
        return True

    def promote(self, company: str, target: str, version: str) -> None:
        """Make a version the champion; the former champion becomes `previous`."""
        name = model_name(company, target)
        with explained(self.database):
            before = self.champion(company, target)
            if before and before != version:
                self.client.set_registered_model_alias(name, "previous", before)
            self.client.set_registered_model_alias(name, "champion", version)

    def champion(self, company: str, target: str) -> str | None:
        """The version with the alias `champion`, or None."""
        return self._aliased(model_name(company, target), "champion")

    def _aliased(self, name: str, alias: str) -> str | None:
        try:
            with explained(self.database):
                found = self.client.get_model_version_by_alias(name, alias)
        except MlflowException as err:
            if err.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise  # the store failed; that does not mean that there is no such version
            return None
        return str(found.version)


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a bundle; empty when it is damaged."""
    try:
        return read_json(folder / "manifest.json")
    except DataRefused:
        return {}
