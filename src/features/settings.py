"""Settings from the environment (`GOODWILL_...` variables) and the folders of a project."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from features.errors import ConfigRefused
from features.formatting import Language

#: Environment variables that switch off telemetry, pickle in MLflow, and busy waiting of OpenMP
#: threads: while other work runs, spinning threads make training four times slower.
LIBRARY_SWITCHES = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "BENTOML_DO_NOT_TRACK": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}


def disable_telemetry() -> None:
    """Switch off telemetry and busy waiting, for this process and its children."""
    os.environ.update(LIBRARY_SWITCHES)


class Settings(BaseSettings):
    """Settings from the environment; everything else is in the company's TOML file."""

    model_config = SettingsConfigDict(env_prefix="GOODWILL_", extra="ignore")

    home: Path | None = Field(
        default=None, description="project folder (default: found upwards from here)"
    )
    real_data: Path | None = Field(default=None, description="folder of the real data sets")
    threads: int = Field(default=2, ge=1, le=64, description="threads for training and features")
    host: str = Field(default="127.0.0.1", description="address the service binds")
    port: int = Field(default=3000, ge=1, le=65535, description="port the service listens on")
    workers: int = Field(default=2, ge=1, le=64, description="processes of the service")
    block_customers: int = Field(default=50_000, ge=1, description="customers of a block in memory")
    keys: Path | None = Field(
        default=None, description="file of API keys (default: data/keys.json of the project)"
    )
    rate: float = Field(
        default=500.0, gt=0, description="requests a second of a key without its own"
    )
    in_flight: int = Field(
        default=64, ge=1, description="requests at once in a worker; more get 429"
    )
    operate_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="port of the admin API (default: the next after `port`)",
    )
    drain_seconds: float = Field(
        default=5.0,
        ge=0,
        le=600,
        description="seconds after SIGTERM in which calls are answered and `/readyz` is 503",
    )
    log_format: Literal["json", "text"] | None = Field(
        default=None, description="lines of the log: json or text (default: text on a terminal)"
    )
    audit_required: bool = Field(
        default=False, description="refuse requests that the audit log cannot take"
    )
    report_language: str = Field(
        default="en",
        validation_alias=AliasChoices("LANG_REPORT", "GOODWILL_LANG_REPORT", "report_language"),
        description="language of the report: en or zh",
    )
    console_url: str | None = Field(
        default=None,
        description="address of the console in links of the report (default: http://host:port)",
    )
    spark_master: str = Field(default="local[2]", description="Spark master of `--engine spark`")
    spark_partitions: int | None = Field(
        default=None, ge=1, description="partitions of a table (default: one per 5,000 customers)"
    )

    @property
    def console_address(self) -> str:
        """The address of the console, without a slash at the end."""
        return (self.console_url or f"http://{self.host}:{self.port}").rstrip("/")


@dataclass(frozen=True)
class Workspace:
    """The folders of a project: a company's files and the tracking store.

    `results` is the folder of one company's results that a run is making or a reader holds on to
    (features/result_sets.py); without it, results are those that are published.
    """

    home: Path
    results: Path | None = None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def mlruns(self) -> Path:
        return self.home / "mlruns"

    @property
    def tracking_database(self) -> Path:
        """MLflow's database of runs and versions."""
        return self.mlruns / "mlflow.db"

    def company(self, name: str) -> Path:
        """The folder of all results of one company."""
        return self.results or self.data / name

    def history(self, name: str) -> Path:
        return self.company(name) / "history"

    def features(self, name: str) -> Path:
        return self.company(name) / "features"

    def scores(self, name: str) -> Path:
        return self.company(name) / "scores" / "scores.parquet"

    def report(self, name: str, language: Language = "en") -> Path:
        """The business report; each language but English has its code in the name."""
        code = "" if language == "en" else f".{language}"
        return self.company(name) / f"report{code}.html"

    def report_details(self, name: str, language: Language = "en") -> Path:
        """The second page of the report, named like the first."""
        first = self.report(name, language)
        return first.with_name(first.name.replace("report", "report-details"))

    def cards(self, name: str) -> Path:
        return self.company(name) / "cards"

    def feedback(self, name: str) -> Path:
        return self.data / name / "feedback"

    def checkpoints(self, name: str) -> Path:
        """The finished blocks of a scoring that was killed; the next one continues from them."""
        return self.data / name / "unfinished"

    def refused_rows(self, name: str) -> Path:
        """The rows for which a table was refused; no results, as a refused run leaves none."""
        return self.data / name / "refused-rows"

    def accepted_losses(self, name: str) -> Path:
        """The record of accepted losses of rows, a JSON line each."""
        return self.data / name / "accepted-losses.jsonl"

    def serving(self, name: str) -> Path:
        """The models that serve: a folder for each target, with its pointer and versions."""
        if self.results:
            return self.results / "serving"
        return self.mlruns / "serving" / name

    def log(self, name: str) -> Path:
        return self.mlruns / "logs" / f"{name}.jsonl"


def find_workspace(start: Path | None = None) -> Workspace:
    """Find the project around `start` (default: the working directory), or that of `GOODWILL_HOME`.

    Raises ConfigRefused when neither is found. The location of this file is not used: an installed
    wheel or a Bento is elsewhere.
    """
    home = Settings().home
    if home is not None:
        return Workspace(home.resolve())
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        marker = folder / "pyproject.toml"
        if marker.is_file() and 'name = "goodwill"' in marker.read_text(encoding="utf-8"):
            return Workspace(folder)
    raise ConfigRefused(
        f"no goodwill project at or above {here}; change into one or set GOODWILL_HOME"
    )


def real_data_root(workspace: Workspace) -> Path:
    """The folder of the shared real data sets: `GOODWILL_REAL_DATA`, else `../shared/data`."""
    return Settings().real_data or workspace.home.parent / "shared" / "data"
