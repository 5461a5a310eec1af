"""The registered targets: one module of this folder declares one target as `TARGET`."""

from importlib import import_module
from pkgutil import iter_modules

from features.config.company import Company
from features.config.snapshot_settings import NO_DATES
from features.config.toml_section import did_you_mean
from features.definitions.company_schema import CompanySchema
from features.errors import ConfigRefused
from models import targets
from models.targets.target import Target

#: The order of the scores file and of every page; other targets follow in the order of their names.
FIRST = ("satisfaction", "nps", "churn", "value")


def target_modules() -> list[str]:
    """The modules of this folder but this one; they are imported by name."""
    names = [m.name for m in iter_modules(targets.__path__) if m.name != "registry"]
    return [f"{targets.__name__}.{name}" for name in names]


def _find_targets() -> dict[str, Target]:
    """Import every module of this folder and collect the targets, by name."""
    found = [import_module(name) for name in target_modules()]
    declared = {m.TARGET.name: m.TARGET for m in found if hasattr(m, "TARGET")}
    first = {name: place for place, name in enumerate(FIRST)}
    order = sorted(declared, key=lambda name: (first.get(name, len(first)), name))
    return {name: declared[name] for name in order}


TARGETS: dict[str, Target] = _find_targets()


def company_targets(company: Company) -> list[Target]:
    """The targets that concern a company: all but the opt-in ones its file does not name."""
    return [t for t in TARGETS.values() if not t.opt_in or t.name in company.targets]


def trainable(company: Company, schema: CompanySchema) -> tuple[list[Target], dict[str, str]]:
    """The targets that a company's tables allow, and the reason against each of the others."""
    check_names(company)
    able, unable = [], {}
    for target in company_targets(company):
        reason = _why_not(target, company, schema)
        if reason:
            unable[target.name] = reason
        else:
            able.append(target)
    return able, unable


def check_names(company: Company) -> None:
    """Raise ConfigRefused when the company's file configures an unknown target, or its test wrongly."""
    for name, config in company.targets.items():
        if config.test_from and name in TARGETS and TARGETS[name].on_calendar:
            raise ConfigRefused(
                f"{company.path.name}: targets.{name}.test_from is for answers to surveys; the test of "
                f"{name} begins at calendar.test_cutoff"
            )
    for name in [*company.targets, *(r.target for r in company.references)]:
        if name not in TARGETS:
            raise ConfigRefused(
                f"{company.path.name}: unknown key targets.{name}{did_you_mean(name, [*TARGETS])}"
            )


def _why_not(target: Target, company: Company, schema: CompanySchema) -> str | None:
    config = company.target(target.name)
    if not config.enabled:
        return f"targets.{target.name}.enabled is false in {company.path.name}"
    if company.snapshot:
        return (
            None if config.is_snapshot else f"{NO_DATES}: {target.title} needs records with dates"
        )
    if missing := target.missing_setting(config):
        return missing
    for table, columns in target.required_columns:
        if table not in schema.tables:
            return f"the company has no {table} table"
        lacking = [c for c in columns if c not in schema.tables[table]]
        if lacking:
            return f"{table} has no values in {', '.join(lacking)}"
    return None
