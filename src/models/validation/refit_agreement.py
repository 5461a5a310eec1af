"""Whether a refitted model still is the model that was judged: both predict the same rows alike."""

from dataclasses import asdict, dataclass

import numpy as np

from models.evaluation.metrics import spearman
from models.training.train import TrainedTarget
from models.validation.slice_metrics import to_output_scale

#: The refit serves only with at least this rank correlation with the judged model (.98 on the sample; a
#: few hundred labels gave .67 by chance), ...
LEAST_CORRELATION = 0.6
#: ... and a mean that differs by at most this many standard deviations of the judged predictions.
MOST_DIFFERENCE = 0.5


@dataclass(frozen=True)
class RefitAgreement:
    """Rank correlation and mean difference of refitted and judged predictions of the test rows.

    On the scale of the output (a probability, a score, the NPS, a value); `difference` is in standard
    deviations of the judged predictions. Both are NaN where the judged predictions are all equal.
    """

    correlation: float
    difference: float

    @property
    def objection(self) -> str | None:
        """Why the refit may not serve; None when it may."""
        if self.correlation < LEAST_CORRELATION:
            return (
                f"the refit on all labels ranks customers otherwise than the judged model: rank "
                f"correlation {self.correlation:.2f}, at least {LEAST_CORRELATION:g} is needed"
            )
        if abs(self.difference) > MOST_DIFFERENCE:
            return (
                f"the refit on all labels predicts another level than the judged model: "
                f"{self.difference:+.2f} standard deviations, at most {MOST_DIFFERENCE:g} are allowed"
            )
        return None

    def to_dict(self) -> dict[str, float]:
        """The finite fields as JSON holds them."""
        return {name: value for name, value in asdict(self).items() if np.isfinite(value)}


def compare_with_judged(judged: TrainedTarget, refitted: TrainedTarget) -> RefitAgreement:
    """Compare the predictions of both models for the test rows of the judged one."""
    test, target = judged.test, judged.target
    plain = refitted.estimator.predict(test.features)
    if refitted.spend:
        plain = plain * refitted.spend.of(test.features)
    pair = (judged.predictions["model"], refitted.calibrator.apply(plain))
    before, after = (to_output_scale(target, test.label, p)[0] for p in pair)
    spread = float(before.std())
    shift = float(after.mean() - before.mean())
    return RefitAgreement(spearman(before, after), shift / spread if spread > 0 else float("nan"))
