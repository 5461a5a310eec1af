"""What a tier is served with: the company's policy, read with the tiers and refused with gaps."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from features.config.toml_section import TomlSection


class Policy(TomlSection):
    """`[insight.tiers.policies.NAME]`: the service level of a tier, as the CRM and the API repeat it."""

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
    """Every tier has a policy and every policy its tier; ValueError with what lacks and the remedy."""
    bare = [name for name in names if name not in policies]
    if bare:
        raise ValueError(
            f"tier {', '.join(bare)} has no policy; say what it is served with in "
            + " and ".join(f"[insight.tiers.policies.{name}]" for name in bare)
        )
    idle = [name for name in policies if name not in names]
    if idle:
        raise ValueError(
            f"policies of {', '.join(idle)} belong to no tier; tiers are {', '.join(names)}"
        )
