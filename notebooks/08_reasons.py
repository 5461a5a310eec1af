# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 8 · Reasons: why this score, why it changed, what would change it
#
# This notebook shows the main factors behind a customer's score in plain words; what changed
# between two dates, separating changes of the customer from changes of the model; and the smallest
# change that would bring a customer to a target score. In each case, the parts sum to the whole.

# %%
# %matplotlib inline
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from bars import bars, heading, reason_bars, tiles
from figures import show
from readable_tables import headed
from start import open_company

from features.feature_table import plan_for
from features.history_store import Manifest
from features.progress import silent_steps
from insight.formatting.display_names import TITLES
from models.bundles.bundle import Bundle
from models.bundles.champions import load_champions
from models.explain import sentences_en
from models.explain.attributions import attribute_scores
from models.explain.counterfactuals import WhatIfModel, what_if_text
from models.explain.reasons import Explainer
from models.explain.score_change import split_score_change
from models.explain.score_change_lines import ScoreChangeExplainer
from models.learners.calibration import Calibrator
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.plots.style import INK, MODEL, QUIET, RULE, canvas, cut_middle, legend
from models.scoring.batch_reasons import explain_customers
from models.targets.target import population_mask

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = open_company(COMPANY, upto="score")
bundles, _ = load_champions(workspace.serving(company.name))
snapshot = pq.read_table(workspace.features(company.name) / "snapshot.parquet")
TARGET = next(t for t in ("churn", "satisfaction", "nps", "value") if t in bundles)
bundle, explainer = bundles[TARGET], Explainer(bundles[TARGET])
name = sentences_en.score_name(TARGET)
UNITS = {"churn": "%", "value": company.info.currency}
named = f"{name}, {UNITS.get(TARGET, 'points of 100')}"
days = f"within {bundle.manifest.horizon_days} days"
meanings = {
    c.name: c.meaning for c in plan_for(Manifest.read(workspace, company.name).schema).columns
}


def in_words(feature, most=46):
    """The meaning of a column, or the name of a factor with spaces."""
    return cut_middle(meanings.get(feature, feature.replace("_", " ")), most)


print(f"{TARGET}, version {bundle.version}: {len(explainer.columns)} columns in "
      f"{len(explainer.groups.names)} factors")  # fmt: skip

# %% [markdown]
# ## From the average to the score
#
# The base value is the score of the average customer in the training rows. Each factor raises or
# lowers it; a factor combines all windows of a feature. The example is the customer with the worst
# score in the population of the model.

# %%
inside = snapshot.filter(pa.array(population_mask(snapshot, bundle.population)))
found = attribute_scores(bundle, inside)
totals = explainer.groups.totals(found.parts)
risk = found.score if TARGET == "churn" else -found.score
place = int(risk.argmax())
reasons = explainer.reasons(inside.slice(place, 1), 9)[0]
rest = found.score[place] - found.start[place] - sum(r.effect for r in reasons)
steps = [(r.texts["en"].rsplit(": ", 1)[0], r.effect) for r in reasons]
steps = [(cut_middle(what, 62), moved) for what, moved in steps]
steps.append((f"{int((totals[place] != 0).sum()) - len(reasons)} other factors", rest))
positions = found.start[place] + np.cumsum([0.0, *(moved for _, moved in steps)])

figure, (axis,) = canvas(
    f"{inside['customer_id'][place]}: {name} from {found.start[place]:,.1f} "
    f"to {found.score[place]:,.1f}",
    f"{name[:1].upper()}{name[1:]} {days}. Cumulative effect of the factors; orange raises the score, "
    "blue lowers it", (1,),
)  # fmt: skip
for i, (_, moved) in enumerate(steps):
    axis.barh(i, moved, 0.66, left=positions[i], color=RULE if moved > 0 else MODEL)
    axis.annotate(f"{moved:+.1f}", (max(positions[i], positions[i + 1]), i), (4, 0), fontsize=9,
                  va="center", textcoords="offset points", color=INK)  # fmt: skip
axis.set_yticks(range(len(steps)), [what for what, _ in steps])
axis.set_ylim(len(steps) - 0.4, -0.6)
axis.margins(x=0.12)
axis.axvline(found.start[place], color=QUIET, lw=1)
axis.set_xlabel(named)
axis.grid(visible=False, axis="y")
show(
    figure,
    "Waterfall of bars from the base value to the customer's score, one bar for each of the strongest "
    "factors, with its effect, and one for all others",
)

# %% [markdown]
# ## The effects sum to the score
#
# Between trees and score there are a link function, a calibration and sometimes several classes.
# Base value plus all effects still equals the score, for each customer and target, up to rounding.

# %%
remainder = {}
for target, one in bundles.items():
    split = attribute_scores(one, snapshot)
    remainder[target] = float(np.abs(split.start + split.parts.sum(axis=1) - split.score).max())
figure, (one, other) = canvas(
    f"Base value plus effects differ from the score by at most {max(remainder.values()):.0e}",
    "Left: all customers. Right: largest mean absolute effects", (1, 1.25),
)  # fmt: skip
one.plot(
    found.score, found.start + found.parts.sum(axis=1), "o", ms=3, mew=0, alpha=0.5, color=MODEL
)
one.set(xlabel=f"score: {named}", ylabel=f"base value plus effects, {UNITS.get(TARGET, 'points')}")
heading(one, "Score and sum of effects")
size = np.abs(totals).mean(axis=0)
largest = np.argsort(-size)[:10]
bars(other, [in_words(explainer.groups.names[i], 44) for i in largest],
     [float(size[i]) for i in largest], f"mean absolute effect on {named}", "{:.2f}")  # fmt: skip
heading(other, "The strongest factors")
show(
    figure,
    "Left: one dot for each customer, base value plus effects by score, on the diagonal. Right: bars, "
    "mean absolute effect of the ten strongest factors",
)

# %% [markdown]
# ## The file for the CRM
#
# `goodwill reasons` writes three reasons per customer and target, in English and Chinese. Where a
# feature has a previous window to compare with, the reason says what rose or fell.

# %%
path = explain_customers(company, workspace, silent_steps())
stored = pq.read_table(path).to_pandas()
print(f"{path.relative_to(workspace.home)}: {len(stored):,} reasons")
customer = inside["customer_id"][place].as_py()
words = {"rank": "rank", "text_en": "reason in English", "text_zh": "reason in Chinese"}
headed(stored[stored["customer_id"] == customer].set_index("target"), words, f"score of {customer}")

# %%
first = stored[stored["rank"] == 1]
shown = [t for t in bundles if t in set(first["target"])]
figure, axes = tiles(
    f"{len(stored['feature'].unique())} features appear among the three reasons",
    "Customers by the feature of their first reason", len(shown), columns=1, height=2.2,
)  # fmt: skip
for axis, target in zip(axes, shown, strict=True):
    count = first[first["target"] == target]["feature"].value_counts().head(6)
    bars(axis, [in_words(f, 60) for f in count.index], count.tolist(), "customers")
    heading(axis, TITLES[target])
show(
    figure,
    f"Bars, one panel for each of {', '.join(TITLES[t] for t in shown)}: number of customers by the "
    "feature of their first reason, the six most frequent ones",
)

# %% [markdown]
# ## Why a score changed
#
# Take two rows of a customer at consecutive dates, and a model trained on the first half of the
# period as well as the current one. Data, trees and calibration are replaced in all possible
# orders; each part is the mean of its effects (Shapley value).


# %%
def train_earlier_model(today: Bundle, rows: pa.Table) -> Bundle:
    """A model with the settings of `today`, trained on other rows, without calibration."""
    kind, classes = today.estimator.kind, today.estimator.classes
    y = rows["label"].to_numpy()
    y = y / today.spend.of(rows) if today.spend else y
    columns = ["customer_id", "cutoff", *today.columns]
    params = Params(max_rounds=today.estimator.rounds, n_classes=classes, objective="l1") if (
        kind == "regression"
    ) else Params(max_rounds=today.estimator.rounds, n_classes=classes)  # fmt: skip
    estimator = Estimator.fit(kind, LabelledRows(rows.select(columns), y), None, params)
    return replace(today, estimator=estimator, calibrator=Calibrator(kind))


training = pq.read_table(workspace.features(company.name) / f"{TARGET}.parquet")
training = training.sort_by([("customer_id", "ascending"), ("cutoff", "ascending")])
cutoffs = training["cutoff"].to_numpy()
half = np.sort(cutoffs)[len(cutoffs) // 2]
earlier_model = train_earlier_model(bundle, training.filter(pa.array(cutoffs < half)))
ids = training["customer_id"].to_numpy(zero_copy_only=False)
later = np.flatnonzero((ids[1:] == ids[:-1]) & (cutoffs[1:] > half) & (cutoffs[:-1] <= half)) + 1
later = later[:400]
rows = training.take(later - 1), training.take(later)
change = split_score_change(earlier_model, bundle, *rows)
sums = np.column_stack([change.data.sum(axis=1), change.model.sum(axis=1), change.calibration])
moved = change.after - change.before
print(f"{len(later)} customers; largest remainder {np.abs(sums.sum(axis=1) - moved).max():.0e}")

one = int(np.abs(change.data).sum(axis=1).argmax())
for line in ScoreChangeExplainer(change, explainer, *rows).lines(one)[:6]:
    print(f"{line.part:>12}  {line.text}")
factor_of = {c: explainer.groups.names[i] for i, m in enumerate(explainer.groups.members)
          for c in np.array(bundle.estimator.encoder.columns)[m]}  # fmt: skip
parts = (
    pd.Series(change.data[one], [factor_of.get(c, c) for c in change.columns])
    .groupby(level=0)
    .sum()
)
parts = parts[parts.abs().sort_values(ascending=False).index].head(8)
figure, (left_axis, right_axis) = canvas(
    f"{ids[later[one]]}: {name} from {change.before[one]:,.1f} to {change.after[one]:,.1f}",
    f"data {sums[one, 0]:+,.1f}, trees {sums[one, 1]:+,.1f}, calibration {sums[one, 2]:+,.1f}", (1, 1.1),
)  # fmt: skip
looks = (("data", RULE, "o"), ("model", MODEL, "s"), ("calibration", INK, "_"))
for i, (what, colour, mark) in enumerate(looks):
    left_axis.plot(
        moved, sums[:, i], mark, ms=4, mew=mark == "_", alpha=0.5, color=colour, label=what
    )
left_axis.axline((0, 0), slope=1, color=QUIET, lw=1, ls=(0, (4, 3)))
left_axis.set(xlabel=f"change of {named}", ylabel=f"contribution, {UNITS.get(TARGET, 'points')}")
legend(left_axis, "upper left")
heading(left_axis, f"{len(later)} customers")
effects = [(in_words(factor, 42), effect) for factor, effect in parts.items()]
reason_bars(right_axis, effects, ("lower", MODEL), ("higher", RULE), UNITS.get(TARGET, "points"))
heading(right_axis, "Effect of the data, by factor")
show(
    figure,
    "Left: contribution of data, model and calibration to the change of each customer's score, by "
    "the whole change. Right: bars to the left and right, effect of the changed data of one customer",
)

# %% [markdown]
# ## What-if
#
# A company can reply faster, deliver on time or visit more often. A what-if finds the smallest such
# change that brings a customer's score to a target. The result is what the **model** predicts for
# customers who are served that way. Only an experiment shows whether this customer would react.

# %%
what_if = WhatIfModel(explainer, snapshot)
goal = float(np.quantile(found.score, 0.8 if what_if.lower_is_better else 0.2))
worst = np.argsort(-risk)[: len(risk) // 5]
worst = worst[:: -(-len(worst) // 150)]
answers = [what_if.smallest_change(inside.slice(int(i), 1), goal) for i in worst]
reached = [a for a in answers if a.reached and a.moves]
for answer in (reached or answers)[:4]:
    text = what_if_text(answer, TARGET, explainer.currency, "en")
    print(f"{answer.customer_id}: {text}")

# %%
outcome = {
    "one lever": 0,
    "two levers": 0,
    "three levers": 0,
    "out of reach": 0,
    "target met": 0,
}
for answer in answers:
    words = list(outcome)[len(answer.moves) - 1] if answer.moves else "target met"
    outcome[words if answer.reached else "out of reach"] += 1
figure, (one, other) = canvas(
    f"{len(reached)} of {len(answers)} customers with the worst scores could reach {goal:,.1f}",
    f"By changing levers, as predicted by the model; {name}", (1, 1.1),
)  # fmt: skip
bars(one, list(outcome), list(outcome.values()), "customers")
heading(one, "Levers needed")
for answer in answers:
    colour, wide = (RULE, 2) if answer.reached else (QUIET, 0.8)
    other.plot([0, 1], [answer.score, answer.score_then], color=colour, lw=wide, alpha=0.6)
other.axhline(goal, color=INK, lw=1.4, ls=(0, (4, 3)))
other.set_xticks([0, 1], ["now", "after the change"])
other.set_xlim(-0.25, 1.25)
other.set_ylabel(f"{named} {days}")
heading(other, "Thick and orange: reaches the target")
show(
    figure,
    "Left: bars, number of customers by the levers that they need. Right: one line for each customer "
    "from the score now to the score after the change; dashed: the target",
)

# %% [markdown]
# ## Summary
#
# - Reasons describe what moved the **model**, in points of the score; together they equal the
#   score.
# - A score changes because the customer or the model changed; the split shows which.
# - A what-if keeps fixed what cannot be changed and moves related features together. It is no
#   guarantee.
# - The sentences come from the feature's declaration, so a new feature has reasons immediately.

# %% [markdown]
# ## Exercise 1: Reasons that rarely matter
#
# `totals` has the effect of each factor (column) on each customer (row). Which factors are weak on
# average but are the strongest one for at least one customer?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# strongest = np.bincount(np.abs(totals).argmax(axis=1), minlength=totals.shape[1])
# effect = pd.DataFrame({"first": strongest, "mean": np.abs(totals).mean(axis=0)})
# effect.index = [in_words(factor, 60) for factor in explainer.groups.names]
# rare = effect[(effect["first"] > 0) & (effect["mean"] < effect["mean"].quantile(0.9))]
# rare = rare.sort_values("first", ascending=False).head(8)
# headed(rare, {"first": "customers with it in first place", "mean": f"mean effect, {named}"}, "factor")
# ```
#
# A ranking of features for the whole company hides what matters to a few. Someone who talks to a
# customer needs that customer's reasons.
#
# </details>

# %% [markdown]
# ## Exercise 2: How many reasons are enough?
#
# The first reasons of a customer explain only a part of the way from the base value to the score. What
# share of the sum of absolute effects do the first one, three, five and ten factors hold in the median?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# sizes = -np.sort(-np.abs(totals), axis=1)
# cumulative = sizes.cumsum(axis=1) / sizes.sum(axis=1, keepdims=True)
# kept = {k: f"{np.median(cumulative[:, k - 1]):.0%}" for k in (1, 3, 5, 10)}
# pd.DataFrame({"median share of the absolute effects": kept}).rename_axis("factors shown")
# ```
#
# Three reasons start a conversation; they are not the whole score. That is why the sum of the other
# factors is shown, too.
#
# </details>
