# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 6 · Calibration and intervals: are the numbers right?
#
# A call list needs the right **order**. A budget needs the right **level**: of 200 customers with a
# probability of 30%, 60 should leave; of the outcomes, 90% should lie in their 90% prediction
# interval. This notebook evaluates the champions on rows later than their training rows, and
# compares each result with what **chance alone** would give.

# %%
# %matplotlib inline
import json
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before LightGBM: waiting threads sleep

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from bars import bars, dots, heading, tiles
from figures import show
from readable_tables import headed
from start import open_company

from features.feature_table import plan_for
from features.history_store import Manifest
from models.bundles.champions import load_champions
from models.evaluation.calibration_error import calibration_error
from models.learners.survival_curve import MONTHS, kaplan_meier
from models.plots.ranking_curves import reliability
from models.plots.style import ACTUAL, INK, MODEL, QUIET, RULE, canvas, cut_middle, legend, percent
from models.training.fit_survival import measure_tenure
from models.training_set.splits import microseconds
from models.validation.holdout_evaluation import evaluate_on_test_rows

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = open_company(COMPANY, upto="score")
manifest = Manifest.read(workspace, company.name)
meanings = {c.name: cut_middle(c.meaning, 50) for c in plan_for(manifest.schema).columns}
bundles, missing = load_champions(workspace.serving(company.name))
evaluations = {
    target: evaluate_on_test_rows(bundle, company, workspace) for target, bundle in bundles.items()
}
for target, evaluation in evaluations.items():
    print(f"{target:13} version {bundles[target].version}: {len(evaluation.actual):,} test rows")
for target, why in missing.items():
    print(f"{target:13} {why}")

# %% [markdown]
# ## Calibration
#
# Blue: served probabilities. Orange: before calibration. Whiskers are 95% intervals of the observed
# share; a dot whose whisker crosses the dashed line is consistent with perfect calibration. The
# calibration is a smooth curve with two parameters, so it creates no ties between customers.

# %%
probabilities = {t: evaluation for t, evaluation in evaluations.items() if evaluation.error}
first = "churn" if "churn" in probabilities else next(iter(probabilities))
evaluation = probabilities[first]
before = bundles[first].estimator.predict(evaluation.rows.features)
y, predicted, raw = evaluation.rows.label, evaluation.predictions, before
if predicted.ndim == 2:  # several classes: take the last
    y, predicted, raw = (y == predicted.shape[1] - 1).astype(float), predicted[:, -1], raw[:, -1]
show(
    reliability(y, predicted, raw, evaluation.rows.weight, rival="uncalibrated model"),
    f"{first}. Left: observed share by predicted probability, by decile with 95% intervals, served and "
    "before calibration; dashed: perfect calibration. Right: histograms of the probabilities",
)

# %% [markdown]
# With several classes, each is checked by itself: of the invitations with a promoter probability of
# 40%, how many answers are promoters?

# %%
panels = [
    (t, name, bins)
    for t, evaluation in probabilities.items()
    for name, bins in evaluation.bins().items()
]
figure, axes = tiles(
    f"Calibration of {len(panels)} probabilities, by decile",
    "With 95% intervals; dashed: perfect calibration",
    len(panels), columns=3, height=2.3,
)  # fmt: skip
for axis, (target, name, bins) in zip(axes, panels, strict=True):
    table = pd.DataFrame(bins)
    spread = [
        (table["observed"] - table["low"]).clip(0),
        (table["high"] - table["observed"]).clip(0),
    ]
    axis.errorbar(table["predicted"], table["observed"], spread, color=MODEL, fmt="o", ms=4,
                  elinewidth=1.2, capsize=2)  # fmt: skip
    edge = 1.05 * max(table["predicted"].max(), table["high"].max())
    axis.plot([0, edge], [0, edge], color=QUIET, lw=1, ls=(0, (4, 3)), zorder=1)
    axis.set(xlim=(0, edge), ylim=(0, edge))
    axis.set(xlabel="predicted share", ylabel="observed share")
    axis.locator_params(nbins=4)
    percent(axis, "xy")
    heading(axis, f"{target}: {name}")
show(
    figure,
    "One panel for each probability, observed by predicted share with 95% intervals: "
    f"{', '.join(f'{target} {name}' for target, name, _ in panels)}",
)

# %% [markdown]
# ## Calibration error and chance
#
# The **calibration error** is the mean gap between predicted and observed share. It is never zero:
# even with outcomes drawn from the predicted probabilities themselves, the dots scatter around the
# line. The grey bar ends where the error of 95 of 100 such perfect models ends. An error inside the
# bar needs no correction; an error of 3 points on 500 rows may be pure chance.
#
# A correction is fitted only where it helps on held-out rows. **identity** means that it did not;
# both marks then coincide.

# %%
errors = {t: evaluation.error for t, evaluation in probabilities.items()}
uncalibrated = {
    t: calibration_error(e.rows.label, e.bundle.estimator.predict(e.rows.features), e.rows.weight)
    for t, e in probabilities.items()
}  # fmt: skip
beyond = [t for t, e in errors.items() if e.beyond_chance]
figure, (axis,) = canvas(
    f"Calibration error beyond chance: {', '.join(beyond) or 'none'}",
    "Mean gap between predicted and observed share; grey: 95 of 100 perfect models", (1,),
    (9.6, 1.9 + 0.5 * len(errors)),
)  # fmt: skip
for place, (target, error) in enumerate(errors.items()):
    axis.barh(place, error.chance_high, 0.5, color="#D5DAE0", zorder=0)
    axis.plot([error.chance] * 2, [place - 0.25, place + 0.25], color=QUIET, lw=2)
    axis.plot(uncalibrated[target].error, place, "s", color=RULE, ms=13, mfc="none", mew=1.6,
              label="" if place else "uncalibrated")  # fmt: skip
    axis.plot(
        error.error, place, "o", color=MODEL, ms=9, mec="white", label="" if place else "served"
    )
how = {t: bundles[t].calibrator.method for t in errors}
axis.set_yticks(range(len(errors)), [f"{t} ({e.rows:,} rows; {how[t]})" for t, e in errors.items()])
axis.set(ylim=(len(errors) - 0.5, -0.5), xlim=(0, None))
axis.grid(visible=False, axis="y")
axis.set_xlabel("calibration error, percentage points")
percent(axis, "x")
legend(axis, "upper right")
show(
    figure,
    f"One row for each target ({', '.join(errors)}): the error of the served and of the uncalibrated "
    "probabilities, and a grey bar of the errors that chance explains",
)

# %% [markdown]
# ## Calibration by segment
#
# Probabilities can be right on average, but too high in one region and too low in another. Each
# segment with at least 500 rows is checked. One in twenty perfectly calibrated segments lies beyond
# its bar, so a single one means little; several related ones show where to look.

# %%
segments = [(t, s) for t, evaluation in probabilities.items() for s in evaluation.segments]
segments.sort(key=lambda pair: pair[1].error / pair[1].chance_high, reverse=True)
outside = sum(s.beyond_chance for _, s in segments)
shown = segments[:14]
figure, (axis,) = canvas(
    f"{outside} of {len(segments)} segments are off beyond chance; {len(segments) / 20:.1f} are expected"
    if segments else "No segment has 500 test rows",
    f"The {len(shown)} largest errors; grey: 95 of 100 perfect models", (1,),
    (9.6, 1.9 + 0.3 * max(1, len(shown))),
)  # fmt: skip
for place, (_, segment) in enumerate(shown):
    axis.barh(place, segment.chance_high, 0.6, color="#D5DAE0", zorder=0)
    axis.plot(segment.error, place, "o", ms=8, mec="white",
              color=RULE if segment.beyond_chance else MODEL)  # fmt: skip
axis.set_yticks(range(len(shown)), [f"{t} · {s.name} ({s.rows:,})" for t, s in shown])
axis.set(ylim=(max(1, len(shown)) - 0.5, -0.5), xlim=(0, None))
axis.grid(visible=False, axis="y")
axis.set_xlabel("calibration error, percentage points")
percent(axis, "x")
show(
    figure,
    "One row for each segment: its calibration error, orange if beyond chance, and a grey bar of the "
    "errors that chance explains",
)

# %% [markdown]
# ## Prediction intervals: coverage
#
# Prediction intervals are fitted by groups of similar customers (by prediction, level and history),
# on out-of-fold predictions. An interval should cover 90% of the outcomes in *each* relevant group,
# not only on average. Where nearly all customers spend nothing, the interval is zero and covers
# more than 90%.

# %%
with_intervals = {t: evaluation for t, evaluation in evaluations.items() if evaluation.coverage}
lines = []
for target, evaluation in with_intervals.items():
    lines.append((f"{target}: all", evaluation.coverage))
    kinds = evaluation.outputs.get("segment")
    for name in [] if kinds is None else pd.unique(kinds):
        lines.append((f"{target}: {name}", evaluation.coverage_of(kinds == name, name)))
    few = sorted(evaluation.coverage_by_segment, key=lambda s: abs(s.share - 0.9), reverse=True)[:5]
    lines += [(f"{target}, {s.name}", s) for s in few]
shares = ", ".join(f"{t} {e.coverage.share:.1%}" for t, e in with_intervals.items())
figure, (axis,) = canvas(
    f"Outcomes in the prediction interval: {shares}" if shares
    else "No target has prediction intervals",
    "Coverage with 95% intervals: all, by value segment, and the five groups furthest from 90%",
    (1,), (9.6, 1.9 + 0.28 * max(1, len(lines))),
)  # fmt: skip
dots(
    axis,
    [f"{name} ({c.rows:,})" for name, c in lines],
    [(c.share, c.low, c.high) for _, c in lines],
    "share of the outcomes in the interval (dashed: 90%)",
)
axis.axvline(0.9, color=QUIET, lw=1, ls=(0, (4, 3)))
percent(axis, "x")
show(figure, "One row for each group of customers: coverage with its 95% interval")

# %% [markdown]
# Intervals are wider where less is known about the customer. For new customers they are wide;
# compare widths as multiples of the customer's usual spending.

# %%
pd.DataFrame(
    [(n, c.rows, f"{c.share:.1%}", f"{c.below:.1%}", f"{c.above:.1%}", f"{c.width:,.0f}")
     for n, c in lines],
    columns=["group", "rows", "inside", "below", "above", "median width"],
).set_index("group")  # fmt: skip

# %%
if "value" in with_intervals:
    evaluation, bundle = with_intervals["value"], bundles["value"]
    features = evaluation.rows.features
    column = "tenure_days" if "tenure_days" in features.column_names else "orders_all"
    history = features[column].to_numpy()
    width = (evaluation.outputs["high"] - evaluation.outputs["low"]) / bundle.spend.usual(features)
    edges = np.unique(np.nanquantile(history, np.linspace(0, 1, 9)))
    place = np.clip(np.searchsorted(edges, history, side="right") - 1, 0, max(len(edges) - 2, 0))
    found = pd.DataFrame({"place": place, "history": history, "width": width}).dropna()
    found = found.groupby("place").agg(
        history=("history", "median"), low=("width", lambda w: w.quantile(0.25)),
        middle=("width", "median"), high=("width", lambda w: w.quantile(0.75)),
    )  # fmt: skip
    figure, (axis,) = canvas(
        f"The interval is {found['middle'].iloc[0]:.1f} to {found['middle'].iloc[-1]:.1f} times as wide "
        "as the usual spending",
        "Prediction interval of value by length of the history; median and quartiles", (1,), (9.6, 3.4),
    )  # fmt: skip
    axis.fill_between(found["history"], found["low"], found["high"], color=MODEL, alpha=0.18, lw=0)
    axis.plot(found["history"], found["middle"], "o-", color=MODEL, lw=2)
    axis.set(xlabel=meanings.get(column, column), ylabel="width / usual spending", ylim=(0, None))
    show(figure, "Line: median width by length of the history, with a band between the quartiles")

# %% [markdown]
# ## Out of distribution
#
# Trees return a prediction for any customer. Where a customer's features lie outside the range of
# the training data, in columns that matter to the model, the model abstains: `abstain` marks the
# score as unreliable. Which columns are outside the range in the test rows?

# %%
out_of_range = {}
for target, evaluation in evaluations.items():
    bundle, abstained = bundles[target], evaluation.outputs["abstain"]
    matrix = bundle.estimator.encoder.encode(evaluation.rows.features)[abstained]
    with np.errstate(invalid="ignore"):
        out = (matrix < np.array(bundle.support.low)) | (matrix > np.array(bundle.support.high))
    importance = (
        out.mean(axis=0) * np.array(bundle.support.share) if len(out) else np.zeros(out.shape[1])
    )
    for k in np.argsort(-importance)[:3]:
        if importance[k] > 0:
            column = bundle.support.columns[k]
            out_of_range[f"{target}: {meanings.get(column, column)}"] = out[:, k].mean()
most = max(evaluations, key=lambda t: evaluations[t].abstain_share)
figure, (left, right) = canvas(
    f"At most {evaluations[most].abstain_share:.1%} of the test rows are out of distribution ({most})",
    "Left: where the model abstains. Right: what lies outside the training range", (1, 1.1),
    (9.6, 3.4),
)  # fmt: skip
bars(
    left,
    list(evaluations),
    [evaluation.abstain_share for evaluation in evaluations.values()],
    "share of the test rows",
    "{:.1%}",
)
bars(right, list(out_of_range) or ["none"], list(out_of_range.values()) or [0.0],
     "share of the rows where it abstains", "{:.0%}")  # fmt: skip
percent(left, "x")
percent(right, "x")
show(
    figure,
    "Left: bars, share of the test rows where the model abstains, by target. Right: bars, share of "
    "these rows in which a feature lies outside the training range",
)

# %% [markdown]
# ## Survival curves
#
# A churn probability says *whether* a customer leaves within the horizon; the **survival curve**
# says *when*, within a year. By construction, the two agree exactly. Left: a customer with low,
# medium and high risk. Right: the mean of all curves and the observed survival (Kaplan-Meier), as
# far as the data allow.

# %%
if "churn" in evaluations and bundles["churn"].manifest.survival:
    evaluation, months = evaluations["churn"], np.arange(MONTHS + 1)
    curves = evaluation.outputs["survival"]
    order = np.argsort(evaluation.predictions)
    figure, (left, right) = canvas(
        f"After a year, {curves[:, -1].mean():.0%} of the customers are expected to remain",
        "Probability of remaining a customer, by months after the cutoff", (1, 1), (9.6, 4.2),
    )  # fmt: skip
    for share, colour, mark in ((0.05, ACTUAL, "^-"), (0.5, MODEL, "o-"), (0.98, RULE, "s-")):
        row = order[int(share * (len(order) - 1))]
        stay = evaluation.outputs["months_left"][row]
        left.plot(months, curves[row], mark, color=colour, ms=4, lw=1.8,
                  label=f"churn {evaluation.predictions[row]:.0%}: {stay:.1f} of 12 months")  # fmt: skip
    path = workspace.features(company.name) / "churn.parquet"
    keys = pq.read_table(path, columns=["customer_id", "cutoff"])
    keys = keys.filter(keys["cutoff"].cast("int64").to_numpy() >= evaluation.rows.cutoff.min())
    tenures = measure_tenure(company, workspace, manifest, keys, microseconds(manifest.end))
    right.plot(months, curves.mean(axis=0), "o-", color=MODEL, ms=4, lw=1.8, label="expected")
    right.step(months, kaplan_meier(tenures, np.ones(keys.num_rows)), where="post", color=INK, lw=2,
               label="observed")  # fmt: skip
    for axis, text in ((left, "Three customers"), (right, "All test rows")):
        axis.set(
            xlabel="months after the cutoff", ylabel="probability of remaining", ylim=(0, 1.02)
        )
        percent(axis, "y")
        heading(axis, text)
        legend(axis, "lower left")
    show(
        figure,
        "Survival curves over twelve months. Left: three customers with low, medium and high risk. "
        "Right: the mean of all curves, and a step line of the observed survival, which ends earlier",
    )

# %% [markdown]
# ## Consistency between targets
#
# Each target has its own model. Within a target, the outputs are consistent by construction; across
# targets, they can contradict each other. Each scoring counts how often they do.

# %%
checks = json.loads((workspace.scores(company.name).parent / "agreement.json").read_text())
words = {
    "bound": "limit",
    "customers": "customers",
    "contradictions": "contradictions",
    "share": "share",
}
headed(pd.DataFrame(checks).set_index("name"), words, "targets")

# %% [markdown]
# ## Summary
#
# - Ranking decides whom to call; calibration allows calculations. A monotone correction keeps the
#   order.
# - Compare a calibration error with its chance level. On 500 rows, even perfect models have an
#   error.
# - Coverage of 90% on average is easy; check it by group.
# - Abstaining is a valid answer for customers unlike those in the training data.

# %% [markdown]
# ## Exercise 1: Does a budget hold?
#
# Add up the churn probabilities of the test rows: how many customers should have left? How many left?
# Simulate 2,000 times how many leave if every probability is right, and say whether the difference is
# chance.
#
# <details>
# <summary>Answer</summary>
#
# ```python
# evaluation = probabilities["churn"]
# chance_of_leaving, left = evaluation.predictions, evaluation.rows.label
# draws = np.random.default_rng(1).random((2000, len(left))) < chance_of_leaving
# low, high = np.quantile(draws.sum(axis=1), [0.025, 0.975])
# expected = chance_of_leaving.sum()
# print(f"{expected:.0f} expected ({low:.0f} to {high:.0f} by chance), {left.sum():.0f} left")
# ```
#
# A sum outside the range means that the level of the probabilities was wrong at this cutoff, for
# instance because of the season. The order of the customers can still be right.
#
# </details>

# %% [markdown]
# ## Exercise 2: The price of certainty
#
# Intervals of the same width for everybody would be simpler. Find the width that covers 90% of the test
# outcomes around `expected` for value, and compare it with the median width of the served intervals.
#
# <details>
# <summary>Answer</summary>
#
# ```python
# evaluation = with_intervals["value"]
# miss = np.abs(evaluation.rows.label - evaluation.outputs["expected"])
# same_for_all = 2 * np.quantile(miss, 0.9)
# served = evaluation.outputs["high"] - evaluation.outputs["low"]
# print(f"the same for all: {same_for_all:,.0f} {company.info.currency} wide; served: median "
#       f"{np.median(served):,.0f}, a quarter above {np.quantile(served, 0.75):,.0f}")
# ```
#
# One width for all is far too wide for most customers, who spend little, and too narrow for the few who
# spend much. Groups of similar customers solve this.
#
# </details>
