"""Non-response-corrected estimates by group, and disclosure control for small groups."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.config.toml_section import did_you_mean
from features.errors import ConfigRefused
from models.nonresponse.aipw import AipwInputs, MeanEstimate, aipw_mean, respondent_mean
from models.nonresponse.estimate import AnswerMetric, NonresponseModel

FEWEST_ANSWERS = 20
#: An attribute with more values identifies people or places rather than groups.
MOST_GROUPS = 30
CHANNEL, UNKNOWN = "channel", "unknown"


def grouping_attributes(model: NonresponseModel) -> list[str]:
    """The attributes that recent invitations can be grouped by: CRM texts and the survey channel."""
    recent = model.invitations.features.filter(pa.array(model.invitations.recent))
    texts = [f.name for f in recent.schema if pa.types.is_string(f.type)]
    attributes = [n for n in texts if n.startswith("crm_")]
    few = [n for n in attributes if 1 < pc.count_distinct(recent[n], "all").as_py() <= MOST_GROUPS]
    return [*few, *([CHANNEL] if model.invitations.channel is not None else [])]


def estimate_by_group(
    model: NonresponseModel, metric: AnswerMetric, by: str, fewest: int = FEWEST_ANSWERS
) -> tuple[dict[str, dict[str, Any]], int]:
    """Estimate a metric for every group of a feature (`crm_region`) or the `channel`.

    Returns the groups and the number of suppressed ones. A group has the counts `asked` and
    `answered`, the uncorrected estimate `said` and the corrected one `everybody_asked`. The models
    are those of all invitations, so a small group borrows from the others; its interval does not.
    Raises ConfigRefused for an unknown feature.
    """
    group = _groups(model, by)
    inputs = model.aipw_inputs(metric)
    names = sorted(set(group))
    parts = [_select_rows(inputs, group == name) for name in names]
    answers = [int((part.weight > 0).sum()) for part in parts]
    suppressed = suppress_small_groups(answers, fewest)
    groups = {
        name: {
            "asked": len(part.base_weight), "answered": count, "said": _uncorrected(part).to_dict(),
            "everybody_asked": aipw_mean(part).to_dict(),
        }
        for name, part, count, hidden in zip(names, parts, answers, suppressed, strict=True)
        if not hidden
    }  # fmt: skip
    return groups, int(suppressed.sum())


def suppress_small_groups(answered: Sequence[int], fewest: int) -> NDArray[np.bool_]:
    """Mark the groups of one total that must be suppressed, by number of answers.

    Groups with fewer than `fewest` answers, plus the next smallest ones until the suppressed groups
    together have at least `fewest`: otherwise the total would disclose a single small group. Groups
    without answers disclose nothing.
    """
    sizes = np.asarray(answered, np.int64)
    suppressed = sizes < fewest
    for i in np.argsort(sizes, kind="stable"):
        if not 0 < sizes[suppressed].sum() < fewest:
            break
        suppressed[i] = True
    return np.asarray(suppressed)


def _groups(model: NonresponseModel, by: str) -> NDArray[np.object_]:
    """The group of each recent invitation."""
    invitations = model.invitations
    if by == CHANNEL and invitations.channel is not None:
        return np.asarray(invitations.channel[invitations.recent], object)
    if by not in invitations.features.column_names:
        known = [n for n in invitations.features.column_names if n.startswith("crm_")]
        raise ConfigRefused(f"no feature {by} to group by{did_you_mean(by, known)}")
    recent = invitations.features.filter(pa.array(invitations.recent))
    return np.asarray(recent[by].to_pandas().astype(object).fillna(UNKNOWN), object)


def _uncorrected(part: AipwInputs) -> MeanEstimate:
    weight = np.where(part.weight > 0, part.base_weight, 0.0)
    return respondent_mean(part.observed, weight, part.customer)


def _select_rows(inputs: AipwInputs, rows: NDArray[np.bool_]) -> AipwInputs:
    return AipwInputs(
        inputs.observed[rows],
        inputs.predicted[rows],
        inputs.weight[rows],
        inputs.base_weight[rows],
        inputs.customer[rows],
    )
