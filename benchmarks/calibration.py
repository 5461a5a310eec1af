"""Whether the probabilities and ranges of the trained companies are true, compared with chance.

About every company of the workspace whose models are trained: `goodwill retrain` first.
"""

from features.config.company import Company, load_company
from features.errors import DataRefused
from features.settings import Workspace, find_workspace
from models.bundles.champions import load_champions
from models.validation.holdout_evaluation import HoldoutResult, evaluate_on_test_rows

Asked = dict[tuple[str, str], HoldoutResult]
WORST = 6


def measure() -> str:
    """Calibration error compared with chance, and coverage of the ranges, overall and by segment."""
    workspace = find_workspace()
    asked: Asked = {}
    for path in sorted(workspace.data.glob("*.toml")):
        company = load_company(path)
        asked |= _company(company, workspace)
    if not asked:
        raise DataRefused(f"no trained company below {workspace.home}; run `goodwill retrain`")
    return "\n".join(
        [*_head(), *_errors(asked), *_off(asked), *_covered(asked), *_groups(asked), ""]
    )


def _company(company: Company, workspace: Workspace) -> Asked:
    bundles, _ = load_champions(workspace.serving(company.name))
    return {
        (company.name, target): evaluate_on_test_rows(bundle, company, workspace)
        for target, bundle in bundles.items()
    }


def _head() -> list[str]:
    return [
        "# Calibration and coverage",
        "",
        "Champions on their test rows, which are later than the training rows. The calibration error "
        "is the mean gap between predicted and actual share over 15 bins (for classes: the mean over "
        "them). Chance: the error of exactly true probabilities on as many rows, mean and 95th "
        "percentile. Segments are groups with at least 500 rows.",
        "",
    ]


def _errors(asked: Asked) -> list[str]:
    lines = [
        "| company | target | rows | correction | error | chance | chance, 95% | excess "
        "| its 95% interval | segments | beyond chance | abstains |",
        "|---|---|--:|---|--:|--:|--:|--:|---|--:|--:|--:|",
    ]
    for (company, target), one in asked.items():
        if one.error:
            e, parts = one.error, one.segments
            lines.append(
                f"| {company} | {target} | {e.rows:,} | {one.bundle.calibrator.method} "
                f"| {e.error:.2%} | {e.chance:.2%} | {e.chance_high:.2%} | {e.excess:.2%} "
                f"| {e.excess_low:.2%} to {e.excess_high:.2%} | {len(parts)} "
                f"| {sum(s.beyond_chance for s in parts)} | {one.abstain_share:.1%} |"
            )
    return lines


def _off(asked: Asked) -> list[str]:
    found = [(*key, s) for key, one in asked.items() for s in one.segments]
    found.sort(key=lambda line: line[2].error / line[2].chance_high, reverse=True)
    beyond = sum(s.beyond_chance for *_, s in found)
    return [
        "",
        f"{beyond} of {len(found)} segments are beyond the 95th percentile; "
        f"{len(found) / 20:.0f} are expected by chance. The {WORST} largest errors:",
        "",
        "| company | target | segment | rows | error | chance, 95% |",
        "|---|---|---|--:|--:|--:|",
        *(
            f"| {company} | {target} | {s.name} | {s.rows:,} | {s.error:.2%} | {s.chance_high:.2%} |"
            for company, target, s in found[:WORST]
        ),
    ]


def _covered(asked: Asked) -> list[str]:
    lines = [
        "",
        "## 90% prediction intervals",
        "",
        "| company | target | rows | inside | 95% interval | below | above | segments | lowest "
        "| highest |",
        "|---|---|--:|--:|---|--:|--:|--:|--:|--:|",
    ]
    for (company, target), one in asked.items():
        for part, c in one.coverage_apart.items():
            shares = [s.share for s in one.coverage_by_segment] or [float("nan")]
            lines.append(
                f"| {company} | {target}, {part} | {c.rows:,} | {c.share:.1%} "
                f"| {c.low:.1%} to {c.high:.1%} "
                f"| {c.below:.1%} | {c.above:.1%} | {len(one.coverage_by_segment)} "
                f"| {min(shares):.1%} | {max(shares):.1%} |"
            )
    return lines


def _groups(asked: Asked) -> list[str]:
    """Coverage by value segment."""
    lines = ["", "| company | value segment | rows | inside | below | above |",
             "|---|---|--:|--:|--:|--:|"]  # fmt: skip
    for (company, _), one in asked.items():
        if "segment" in one.outputs and one.coverage:
            for name in ("top", "high", "middle", "low"):
                c = one.coverage_of(one.outputs["segment"] == name, name)
                lines.append(
                    f"| {company} | {name} | {c.rows:,} | {c.share:.1%} | {c.below:.1%} "
                    f"| {c.above:.1%} |"
                )
    return lines
