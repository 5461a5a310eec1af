"""What the models being served say about a customer: reasons, and what would change a score."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from models.bundles.bundle import Bundle
from models.explain.counterfactuals import WhatIfModel
from models.explain.manual_what_if import ManualWhatIf
from models.explain.previous_window import PreviousValues, previous_from_longer_windows
from models.explain.reasons import Language, Explainer
from models.explain.what_if_sentences import in_chinese, in_english
from serve.scoring.scorer import LeverRange, Move, Reason, WhatIfAnswer, WhatIfTarget
from serve.scoring.snapshot import Snapshot


@dataclass(frozen=True)
class Explanations:
    """The models of one moment as those who are asked why, about the customers of their snapshot."""

    bundles: Mapping[str, Bundle]
    snapshot: Snapshot | None

    @cached_property
    def reasoners(self) -> dict[str, Explainer]:
        return {target: Explainer(bundle) for target, bundle in self.bundles.items()}

    @cached_property
    def _sliders(self) -> ManualWhatIf:
        """Asked only about customers of the snapshot, so there is one."""
        reference = self.snapshot.features if self.snapshot else pa.table({})
        what_ifs = {target: WhatIfModel(r, reference) for target, r in self.reasoners.items()}
        return ManualWhatIf(what_ifs, reference)

    def reasons(
        self,
        target: str,
        features: pa.Table,
        top: int,
        language: Language,
        earlier: PreviousValues | None = None,
    ) -> list[list[Reason]]:
        """The reasons of each row; compared with the window before as far as the rows tell it."""
        reasoner = self.reasoners[target]
        before = previous_from_longer_windows(features, reasoner.columns) if earlier is None else earlier
        found = reasoner.reasons(features, top, (language,), before)
        return [
            [
                Reason(r.feature, r.meaning, r.value, r.effect, r.unit, r.factor, r.texts[language])
                for r in row
            ]
            for row in found
        ]

    def levers(self, customer_id: str) -> list[LeverRange]:
        """How far each lever goes for a customer; none for an unknown one."""
        features = self._row(customer_id)
        if features is None:
            return []
        return [
            LeverRange(s.lever.name, s.lever.unit, s.now, s.least, s.most, list(s.targets))
            for s in self._sliders.spans(features)
        ]

    def what_if(
        self, customer_id: str, target: str, wish: WhatIfTarget, language: Language
    ) -> WhatIfAnswer | None:
        """The smallest change of levers that reaches a goal, or what levers set by hand bring.

        None for an unknown customer. Raises LeverRefused (`models.explain.manual_what_if`).
        """
        features = self._row(customer_id)
        if features is None:
            return None
        if isinstance(wish, Mapping):
            found = self._sliders.moved(target, features, wish)
        else:
            found = self._sliders.what_ifs[target].smallest_change(features, wish)
        reasoner = self.reasoners[target]
        say = in_chinese if language == "zh" else in_english
        moves = [
            Move(m.lever.name, m.lever.unit, m.start, m.end, dict(m.columns)) for m in found.moves
        ]
        return WhatIfAnswer(
            found.customer_id, target, reasoner.bundle.version, found.goal, found.reached,
            found.score, found.score_then, moves, found.abstain,
            say(found, target, reasoner.currency),
        )  # fmt: skip

    def _row(self, customer_id: str) -> pa.Table | None:
        """A customer's features; None for one the snapshot does not hold."""
        place = self.snapshot.place.get(customer_id) if self.snapshot else None
        if self.snapshot is None or place is None:
            return None
        return self.snapshot.features.slice(place, 1)
