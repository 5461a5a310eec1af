"""What a model tells people who ask the service about it: its card, measures and calibration."""

import json
from typing import Any

from models.evaluation.grade import ModelEvaluation
from models.model_card.render_card import Card
from models.validation.holdout_evaluation import HoldoutResult


def about_of(judged: ModelEvaluation, seen: HoldoutResult, card: Card) -> dict[str, Any]:
    """What is kept beside a model, from its test rows, as JSON can hold it.

    `card`: Markdown. `measures`: by contestant (model, rule, ...) and measure, each with `value`, `low`
    and `high`, None where undefined. `calibration`: bins of predicted and observed share with a 95 %
    interval, of the case or of each class; a value has none. `coverage`: the share of outcomes inside
    their range; None without ranges.
    """
    told = json.loads(judged.to_json())
    return {
        "card": card.markdown(),
        "primary": told["primary"],
        "measures": told["metrics"],
        "calibration": [
            {"case": case, **{k: each[k] for k in ("predicted", "observed", "low", "high", "rows")}}
            for case, bins in seen.bins().items()
            for each in bins
        ],
        "coverage": seen.coverage.share if seen.coverage else None,
    }
