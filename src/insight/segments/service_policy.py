"""The service policy of each tier, validated against the tiers."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from features.config.toml_section import TomlSection


class Policy(TomlSection):
    """`[insight.tiers.policies.NAME]`: the service level of a tier, as CRM and API show it."""

    service_level: str
    manager: Literal["dedicated", "shared", "none"] = "none"
    first_reply_hours: float = Field(gt=0)
    visits_per_year: int = Field(default=0, ge=0)
    offers: list[str] = Field(default_factory=list)


DEFAULT_POLICIES = {
    "A": Policy(
        service_level="priority", manager="dedicated", first_reply_hours=2, visits_per_year=12,
        offers=["customised products", "yearly business review"],
    ),
    "B": Policy(service_level="plus", manager="shared", first_reply_hours=8, visits_per_year=4),
    "C": Policy(service_level="standard", first_reply_hours=24),
}  # fmt: skip


def check_policies(names: Sequence[str], policies: Mapping[str, Policy]) -> None:
    """Raise ValueError unless every tier has a policy and every policy its tier."""
    missing = [name for name in names if name not in policies]
    if missing:
        raise ValueError(
            f"tier {', '.join(missing)} has no policy; define it in "
            + " and ".join(f"[insight.tiers.policies.{name}]" for name in missing)
        )
    unused = [name for name in policies if name not in names]
    if unused:
        raise ValueError(
            f"policies of {', '.join(unused)} belong to no tier; tiers are {', '.join(names)}"
        )
