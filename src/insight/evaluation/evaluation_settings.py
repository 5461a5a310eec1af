"""Settings of an evaluation: the sections `[insight.*]` of a company file, checked before it runs."""

from dataclasses import dataclass

from features.config.company import Company
from features.config.toml_section import TomlSection, did_you_mean
from features.customer_definition import CustomerDefinition
from features.errors import ConfigRefused
from insight.closed_loop.closed_loop_settings import LoopSettings
from insight.company_settings import read_section
from insight.complaints.complaint_settings import ComplaintSettings
from insight.satisfaction.satisfaction_settings import SatisfactionSettings
from insight.segments.lifecycle_stages import LifecycleSettings
from insight.segments.quadrant import QuadrantSettings
from insight.segments.star_rating import StarSettings
from insight.segments.tier_thresholds import TierSettings
from insight.value.ahp import ahp_weights
from insight.value.value_score import ValueSettings, check_value_settings

SECTIONS: dict[str, type[TomlSection]] = {
    "satisfaction": SatisfactionSettings,
    "value": ValueSettings,
    "tiers": TierSettings,
    "stars": StarSettings,
    "lifecycle": LifecycleSettings,
    "quadrant": QuadrantSettings,
    "complaints": ComplaintSettings,
    "loop": LoopSettings,
}


@dataclass(frozen=True)
class EvaluationSettings:
    """The sections `[insight.*]` of a company file.

    `own_value` and `own_risks` say whether the company chose its own metrics, which must then exist.
    `definition` says who is a customer.
    """

    value: ValueSettings
    tiers: TierSettings
    stars: StarSettings
    lifecycle: LifecycleSettings
    quadrant: QuadrantSettings
    own_value: bool
    own_risks: bool
    definition: CustomerDefinition


def read_evaluation_settings(company: Company) -> EvaluationSettings:
    """Read the settings of a company, with defaults for missing sections.

    Raises ConfigRefused for an unknown section or key, a wrong value, weights that do not sum to 1,
    inconsistent pairwise comparisons, and a tier without policy.
    """
    for name in company.insight:
        if name not in SECTIONS:
            raise ConfigRefused(
                f"unknown section insight.{name}{did_you_mean(name, list(SECTIONS))}"
            )
    for name in ("satisfaction", "complaints", "loop"):  # read where they are used
        read_section(company, name, SECTIONS[name])
    value = read_section(company, "value", ValueSettings)
    check_value_settings(value)
    if value.ahp:
        ahp_weights(value.ahp)
    return EvaluationSettings(
        value=value,
        tiers=read_section(company, "tiers", TierSettings),
        stars=read_section(company, "stars", StarSettings),
        lifecycle=read_section(company, "lifecycle", LifecycleSettings),
        quadrant=read_section(company, "quadrant", QuadrantSettings),
        own_value=not {"dimensions", "ahp"}.isdisjoint(company.insight.get("value", {})),
        own_risks=bool(company.insight.get("quadrant")),
        definition=CustomerDefinition.of(company),
    )
