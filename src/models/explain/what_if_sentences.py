"""A what-if in a sentence: what the model says, never a promise."""

from models.explain import effect_text, sentences_en, sentences_zh
from models.explain.counterfactuals import WhatIfResult


def in_english(found: WhatIfResult, target: str, currency: str) -> str:
    """What would have to be otherwise, and what the model would say then."""
    name = effect_text.title(target, "en")
    now, then, goal = _amounts(found, target, currency)
    guess = " It knows nobody like this customer: take it as a guess." if found.abstain else ""
    if found.reached and not found.moves:
        return f"The model says {now} {name}; the goal of {goal} is reached.{guess}"
    if not found.moves and not goal:
        return f"The model says {now} {name}.{guess}"
    if not found.moves:
        return f"Nothing you can act on brings the model from {now} {name} nearer to {goal}.{guess}"
    clauses = " and ".join(
        move.lever.en.format(
            start=sentences_en.written(move.start, move.lever.form, currency),
            end=sentences_en.written(move.end, move.lever.form, currency),
            window=move.window,
        )
        for move in found.moves
    )
    if not goal and now == then:
        told = f"Even if {sentences_en.singular(clauses)}, the model would still say {now} {name}"
    elif found.reached or not goal:
        told = f"If {sentences_en.singular(clauses)}, the model would say {then} {name} instead of {now}"
    else:
        told = (
            f"Even if {sentences_en.singular(clauses)}, the model would say {then} {name} (now {now}), "
            f"short of the goal of {goal}"
        )
    return f"{told}. This is what the model says, not a promise.{guess}"


def in_chinese(found: WhatIfResult, target: str, currency: str) -> str:
    """The same in Chinese."""
    name = effect_text.title(target, "zh")
    now, then, goal = (text.replace(" %", "%") for text in _amounts(found, target, currency))
    guess = "模型没有见过类似的客户，结果仅供参考。" if found.abstain else ""
    if found.reached and not found.moves:
        return f"模型给出的{name}为{now}，已达到目标{goal}。{guess}"
    if not found.moves and not goal:
        return f"模型给出的{name}为{now}。{guess}"
    if not found.moves:
        return f"没有可采取的措施能让模型给出的{name}从{now}更接近{goal}。{guess}"
    clauses = "，且".join(
        move.lever.zh.format(
            start=sentences_zh.written(move.start, move.lever.form, currency),
            end=sentences_zh.written(move.end, move.lever.form, currency),
            window=move.window,
        )
        for move in found.moves
    )
    if not goal and now == then:
        told = f"即使{clauses}，模型给出的{name}仍是{now}"
    elif found.reached or not goal:
        told = f"如果{clauses}，模型给出的{name}将是{then}，而不是{now}"
    else:
        told = f"即使{clauses}，模型给出的{name}也是{then}（现在{now}），达不到目标{goal}"
    return f"{told}。这只是模型的判断，不是承诺。{guess}"


def _amounts(found: WhatIfResult, target: str, currency: str) -> tuple[str, ...]:
    """The score now, then, and the goal; nothing where there is none."""
    scores = (found.score, found.score_then, found.goal)
    return tuple("" if s is None else effect_text.amount(target, s, currency) for s in scores)
