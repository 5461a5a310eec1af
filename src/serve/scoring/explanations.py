"""Explains scores with the loaded models: reasons per customer, levers and what-ifs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from features.formatting import Language
from models.bundles.bundle import Bundle
from models.explain.counterfactuals import WhatIfModel, what_if_text
from models.explain.manual_what_if import LeverRefused, ManualWhatIf
from models.explain.previous_window import PreviousValues, previous_from_longer_windows
from models.explain.reasons import Explainer
from models.targets.target import population_mask
from serve.schemas.score_schemas import ScoreReason
from serve.schemas.what_if_schemas import LeverChange, LeverRange, WhatIfAnswer, WhatIfTarget
from serve.scoring.snapshot import Snapshot


@dataclass(frozen=True)
class Explanations:
    """The explainers of a set of models, for the customers of their snapshot."""

    bundles: Mapping[str, Bundle]
    snapshot: Snapshot | None

    @cached_property
    def explainers(self) -> dict[str, Explainer]:
        return {target: Explainer(bundle) for target, bundle in self.bundles.items()}

    @cached_property
    def _what_ifs(self) -> ManualWhatIf:
        """Used for customers of the snapshot only, so a snapshot exists."""
        reference = self.snapshot.features if self.snapshot else pa.table({})
        models = {target: WhatIfModel(e, reference) for target, e in self.explainers.items()}
        return ManualWhatIf(models, reference)

    def reasons(
        self,
        target: str,
        features: pa.Table,
        top: int,
        language: Language,
        previous: PreviousValues | None = None,
    ) -> list[list[ScoreReason]]:
        """Return the reasons of each row, compared with the preceding window where that is known."""
        explainer = self.explainers[target]
        if previous is None:
            previous = previous_from_longer_windows(features, explainer.columns)
        found = explainer.reasons(features, top, (language,), previous)
        return [
            [
                ScoreReason(
                    r.feature, r.meaning, r.value, r.effect, r.unit, r.factor, r.texts[language]
                )
                for r in row
            ]
            for row in found
        ]

    def levers(self, customer_id: str) -> list[LeverRange]:
        """Return the range of each lever of a customer; empty for an unknown one.

        A lever names the targets that apply to the customer; one without any is left out.
        """
        features = self._row(customer_id)
        if features is None:
            return []
        found = []
        for span in self._what_ifs.spans(features):
            targets = [t for t in span.targets if self._applies(t, features)]
            if targets:
                lever = span.lever
                found.append(
                    LeverRange(lever.name, lever.unit, span.now, span.least, span.most, targets)
                )
        return found

    def what_if(
        self, customer_id: str, target: str, wanted: WhatIfTarget, language: Language
    ) -> WhatIfAnswer | None:
        """Find the smallest change of levers that reaches a goal, or predict with given levers.

        None for an unknown customer. Raises LeverRefused (`models.explain.manual_what_if`), also for a
        customer outside the population of the target, who has no score.
        """
        features = self._row(customer_id)
        if features is None:
            return None
        if not self._applies(target, features):
            raise LeverRefused(
                f"{target} does not apply to this customer: they are not, or no longer, in the "
                "population of its model; ask for a current customer"
            )
        if isinstance(wanted, Mapping):
            found = self._what_ifs.apply(target, features, wanted)
        else:
            found = self._what_ifs.what_ifs[target].smallest_change(features, wanted)
        explainer = self.explainers[target]
        return WhatIfAnswer(
            customer_id=found.customer_id,
            target=target,
            version=explainer.bundle.version,
            goal=found.goal,
            reached=found.reached,
            score=found.score,
            score_then=found.score_then,
            moves=[
                LeverChange(m.lever.name, m.lever.unit, m.start, m.end, dict(m.columns))
                for m in found.moves
            ],
            abstain=found.abstain,
            text=what_if_text(found, target, explainer.currency, language),
        )

    def _applies(self, target: str, features: pa.Table) -> bool:
        """Whether the customer of a row is in the population of a target."""
        return bool(population_mask(features, self.bundles[target].population).all())

    def _row(self, customer_id: str) -> pa.Table | None:
        """Return a customer's features; None when the snapshot does not hold the customer."""
        row = self.snapshot.row_of.get(customer_id) if self.snapshot else None
        if self.snapshot is None or row is None:
            return None
        return self.snapshot.features.slice(row, 1)
