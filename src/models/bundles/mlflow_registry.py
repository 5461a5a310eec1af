"""The MLflow model registry: registered versions and their aliases, beside the runs of the store.

What serves is decided by the pointer files; the aliases here follow them (`follow_pointers`):
`champion` is the version that serves, `previous` the one before it, and `challenger` the newest version
that was trained and not promoted, so never one that is or was the champion. A number of a version is
never given twice, even if the database was lost (`bundle_folders.py`).
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException

from features.errors import DataRefused
from models.bundles.bundle import Bundle, read_json
from models.bundles.bundle_folders import highest_number, kept_versions, take_number
from models.bundles.champions import POINTER, serving_version
from models.bundles.mlflow_artifacts import SCHEME
from models.bundles.mlflow_model import save_model
from models.bundles.mlflow_runs import TrackingStore
from models.bundles.model_manifest import UNKNOWN_REVISION, VERSION_TAGS
from models.bundles.store_failures import explained

#: Tag of a registered model: up to this number, its versions were restored from the bundles on disk.
RESTORED = "goodwill.restored_until"


def model_name(company: str, target: str) -> str:
    """The name of the registered model of a company's target."""
    return f"goodwill-{target}-{company}"


class Registry(TrackingStore):
    """The tracking store of one project with its model registry."""

    def register(
        self,
        run_id: str,
        company: str,
        bundle: Bundle,
        tags: dict[str, str],
        description: str = "",
    ) -> str:
        """Store a model under its run and register it as a version, the new `challenger`.

        Returns the number of the version, which no version of the target ever had.
        """
        name = model_name(company, bundle.target)
        with explained(self.database), tempfile.TemporaryDirectory() as folder:
            model = save_model(bundle, Path(folder) / "model", run_id)
            self.client.log_artifacts(run_id, str(Path(folder) / "model"), "model")
            self.client.set_tag(run_id, "mlflow.log-model.history", json.dumps([model]))
            self._create_model(company, bundle.target)
            source = f"{self.client.get_run(run_id).info.artifact_uri}/model"
            number = self._new_version(company, bundle.target, source, run_id, tags, description)
            self.client.set_registered_model_alias(name, "challenger", str(number))
        return str(number)

    def _create_model(self, company: str, target: str) -> None:
        """Create the registered model of a target unless it exists."""
        try:
            self.client.create_registered_model(model_name(company, target), {"company": company})
        except MlflowException as err:
            if err.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _new_version(
        self,
        company: str,
        target: str,
        source: str,
        run_id: str,
        tags: dict[str, str],
        description: str,
    ) -> int:
        """Register a version under the next number that neither registry nor disk has taken.

        MLflow counts by itself, also its deleted versions. After a loss it would begin with a number
        that the disk has taken; such a version is deleted, until MLflow has caught up.
        """
        name = model_name(company, target)
        taken = highest_number(self.workspace, company, target)
        while True:
            made = self.client.create_model_version(
                name, source, run_id, tags, description=description or None
            )
            number = int(made.version)
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
                former = self._aliased(model_name(company, target), "previous")
                self._not_challenging(model_name(company, target), version, former)
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
        return [
            f"{target}: version {', '.join(restored)} registered in MLflow again, from its bundle"
        ]

    def _create_from(self, name: str, company: str, manifest: dict[str, Any]) -> str:
        """Create the version of a bundle, whose run and its files may be gone; returns its number."""
        run_id = str(manifest.get("run_id", UNKNOWN_REVISION))
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
        """Make a version the champion and no challenger; the former champion becomes `previous`."""
        name = model_name(company, target)
        with explained(self.database):
            before = self.champion(company, target)
            self._not_challenging(name, version, before)
            if before and before != version:
                self.client.set_registered_model_alias(name, "previous", before)
            self.client.set_registered_model_alias(name, "champion", version)

    def _not_challenging(self, name: str, *versions: str | None) -> None:
        """Take the alias `challenger` from versions that serve, served or are about to."""
        challenger = self._aliased(name, "challenger")
        if challenger and challenger in versions:
            self.client.delete_registered_model_alias(name, "challenger")

    def describe_model(self, company: str, target: str, description: str) -> None:
        """Say what the registered model of a target is, in Markdown; it has a version already."""
        with explained(self.database):
            self.client.update_registered_model(model_name(company, target), description)

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
