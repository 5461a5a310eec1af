"""Comments read by a tone that has learnt from answers of the time a model is judged on."""

from features.history.derived_columns import TONE
from features.text.comment_score_model import FILE
from models.leakage.audit_sample import Case
from models.leakage.findings import Charge, Finding
from models.training_set.splits import instant, microseconds

KIND = "tone of later answers"


def judge(case: Case) -> Finding:
    """Compare the last answer the tone may have learnt from with each target's first validation."""
    tone = case.tone
    if tone is None:
        return Finding(KIND, "no tone of comments")
    starts = {t.name: s.valid_start for t in case.targets if (s := case.split(t))}
    charges = tuple(
        Charge(
            KIND, f"features/{FILE}",
            f"it has learnt from answers until {instant(tone.fitted_until):%Y-%m-%d %H:%M}, validation "
            f"starts on {start:%Y-%m-%d %H:%M}; the columns made of {TONE} know how later customers "
            "answered",
            "make the training sets again with `goodwill features --refit-comments`", name,
        )
        for name, start in starts.items()
        if tone.fitted_until > microseconds(start)
    )  # fmt: skip
    looked = f"{tone.comments:,} scored comments against the validation of {len(starts)} targets"
    return Finding(KIND, looked, charges)
