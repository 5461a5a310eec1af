"""What everybody asked would have answered, group by group, beside what those said who answered."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.config.toml_section import did_you_mean
from features.errors import ConfigRefused
from models.nonresponse.aipw import AipwInputs, MeanEstimate, aipw_mean, respondent_mean
from models.nonresponse.disclosure_control import suppress_small_groups
from models.nonresponse.estimate import AnswerMetric, NonresponseModel

FEWEST_ANSWERS = 20
#: An attribute of more values than this names people or places rather than groups.
MOST_GROUPS = 30
CHANNEL, UNKNOWN = "channel", "unknown"


def grouping_attributes(study: NonresponseModel) -> list[str]:
    """What the recent invitations can be cut by: the texts of the CRM, and the channel of asking."""
    recent = study.asked.features.filter(pa.array(study.asked.recent))
    texts = [f.name for f in recent.schema if pa.types.is_string(f.type)]
    able = [n for n in texts if n.startswith("crm_")]
    few = [n for n in able if 1 < pc.count_distinct(recent[n], "all").as_py() <= MOST_GROUPS]
    return [*few, *([CHANNEL] if study.asked.channel is not None else [])]


def estimate_by_group(
    study: NonresponseModel, figure: AnswerMetric, by: str, fewest: int = FEWEST_ANSWERS
) -> tuple[dict[str, dict[str, Any]], int]:
    """A figure in every group of a feature (`crm_region`) or the `channel`; how many were hidden.

    Each has `asked`, `answered` (both counts), `said` (what those who answered said) and
    `everybody_asked`, as `Estimate.to_dict` tells them. The models are those of the whole study, so a
    small group borrows from all others; its interval does not. Raises ConfigRefused for a feature the
    invitations lack.
    """
    group = _groups(study, by)
    answers = study.answers(figure)
    names = sorted(set(group))
    parts = [_part(answers, group == name) for name in names]
    heard = [int((part.weight > 0).sum()) for part in parts]
    hidden = suppress_small_groups(heard, fewest)
    told = {
        name: {
            "asked": len(part.base), "answered": count, "said": _said(part).to_dict(),
            "everybody_asked": aipw_mean(part).to_dict(),
        }
        for name, part, count, out in zip(names, parts, heard, hidden, strict=True) if not out
    }  # fmt: skip
    return told, int(hidden.sum())


def _groups(study: NonresponseModel, by: str) -> NDArray[np.object_]:
    """The group of each recent invitation."""
    asked = study.asked
    if by == CHANNEL and asked.channel is not None:
        return np.asarray(asked.channel[asked.recent], object)
    if by not in asked.features.column_names:
        able = [n for n in asked.features.column_names if n.startswith("crm_")]
        raise ConfigRefused(f"no feature {by} to cut by{did_you_mean(by, able)}")
    recent = asked.features.filter(pa.array(asked.recent))
    return np.asarray(recent[by].to_pandas().astype(object).fillna(UNKNOWN), object)


def _said(part: AipwInputs) -> MeanEstimate:
    return respondent_mean(part.said, np.where(part.weight > 0, part.base, 0.0), part.customer)


def _part(answers: AipwInputs, rows: NDArray[np.bool_]) -> AipwInputs:
    return AipwInputs(
        answers.said[rows], answers.expected[rows], answers.weight[rows], answers.base[rows],
        answers.customer[rows],
    )  # fmt: skip
