"""What the models being served say about a customer: reasons, and what would change a score."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from models.bundle import Bundle
from models.reasons.conditional import in_chinese, in_english
from models.reasons.earlier import Earlier, nested
from models.reasons.reasoner import Language, Reasoner
from models.reasons.what_if import WhatIfs
from serve.answers import Move, Reason, WhatIfAnswer


@dataclass(frozen=True)
class Why:
    """The models of one moment as those who are asked why; `reference` is their snapshot."""

    bundles: Mapping[str, Bundle]
    reference: pa.Table | None

    @cached_property
    def reasoners(self) -> dict[str, Reasoner]:
        return {target: Reasoner(bundle) for target, bundle in self.bundles.items()}

    @cached_property
    def _what_ifs(self) -> dict[str, WhatIfs]:
        if self.reference is None:
            return {}
        return {target: WhatIfs(r, self.reference) for target, r in self.reasoners.items()}

    def reasons(
        self,
        target: str,
        features: pa.Table,
        top: int,
        language: Language,
        earlier: Earlier | None = None,
    ) -> list[list[Reason]]:
        """The reasons of each row; compared with the window before as far as the rows tell it."""
        reasoner = self.reasoners[target]
        before = nested(features, reasoner.columns) if earlier is None else earlier
        found = reasoner.reasons(features, top, (language,), before)
        return [
            [
                Reason(r.feature, r.meaning, r.value, r.effect, r.unit, r.factor, r.texts[language])
                for r in row
            ]
            for row in found
        ]

    def what_if(
        self, target: str, features: pa.Table, goal: float, language: Language
    ) -> WhatIfAnswer:
        """The smallest change of what the company can act on that brings one customer to the goal."""
        reasoner = self.reasoners[target]
        found = self._what_ifs[target].smallest_change(features, goal)
        say = in_chinese if language == "zh" else in_english
        moves = [
            Move(m.lever.name, m.lever.unit, m.start, m.end, dict(m.columns)) for m in found.moves
        ]
        return WhatIfAnswer(
            found.customer_id, target, reasoner.bundle.version, found.goal, found.reached,
            found.score, found.score_then, moves, say(found, target, reasoner.currency),
        )  # fmt: skip
