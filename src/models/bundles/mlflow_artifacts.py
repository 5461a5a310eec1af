"""MLflow artifact storage inside the project folder, wherever that folder is.

MLflow stores absolute artifact locations, which break when the project moves. Locations of the form
`goodwill:/sample/...` are relative to `artifacts/` next to the tracking database instead. MLflow
finds this class through the entry point `mlflow.artifact_repository` in `pyproject.toml`.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from features.settings import find_workspace

SCHEME = "goodwill"


class ProjectArtifacts(LocalArtifactRepository):  # type: ignore[misc]
    """Artifacts below `mlruns/artifacts` of the project that owns the tracking database."""

    def __init__(
        self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
    ) -> None:
        path = unquote(urlsplit(artifact_uri).path).lstrip("/")
        folder = (_mlruns(tracking_uri) / "artifacts" / path).resolve()
        super().__init__(folder.as_uri(), tracking_uri, registry_uri)


def _mlruns(tracking_uri: str | None) -> Path:
    """The folder of a SQLite tracking database; that of the current project without one."""
    if tracking_uri and tracking_uri.startswith("sqlite:///"):
        return Path(tracking_uri.removeprefix("sqlite:///")).parent
    return find_workspace().mlruns
