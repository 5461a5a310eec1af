# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 · Models: better than the baseline rule?
#
# A model is trained on cutoffs whose outcome is known and evaluated on **later** ones. It is
# compared, on the same rows, with a **baseline rule** that needs no model (for churn: the customer
# inactive longest leaves first) and with a linear model. A model that does not beat the baseline
# rule is not served.

# %%
# %matplotlib inline
import os
from dataclasses import replace

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before LightGBM: waiting threads sleep

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from bars import along_time, dots, heading
from figures import show
from readable_tables import headed
from start import open_company
from timelines import plot_split, split_part

from features.definitions.feature_registry import feature
from features.feature_table import feature_table, plan_for
from features.history.build_history import build_history
from features.history_store import Manifest
from insight.formatting.display_names import MEASURES, reason_sentence
from models.evaluation.bootstrap import bootstrap
from models.evaluation.calibration_error import wilson_interval
from models.evaluation.metrics import roc_auc
from models.pipeline.champion_rule import compare_with_champion
from models.plots.all_plots import draw_all
from models.plots.style import MODEL, QUIET, RULE, canvas, legend, percent
from models.targets.registry import TARGETS
from models.training.train import load_rows, split_rows, train

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = open_company(COMPANY, upto="features")
manifest = Manifest.read(workspace, company.name)
target = TARGETS["churn"]
config = company.target("churn")
rows = load_rows(company, workspace, "churn")
print(f"{len(rows.label):,} rows of {len(np.unique(rows.customer)):,} customers at "
      f"{len(np.unique(rows.cutoff))} cutoffs; {rows.label.mean():.1%} left within "
      f"{config.horizon_days} days")  # fmt: skip

# %% [markdown]
# ## Label and time split
#
# The label of a cutoff `c` is what happens in `[c + gap, c + gap + horizon)`. It is **mature** when
# that window ends within the data. Immature labels are not used: "has not left so far" does not
# mean "stays".
#
# - **fit**: cutoffs with mature labels before the validation cutoff. Their bars must not cross the
#   dashed lines.
# - **valid**: the last cutoff whose label was mature *before* the test cutoff. It determines the
#   number of trees and the calibration.
# - **test**: the last cutoff with a mature label. It stands for the future.
# - **only refit**: mature before the test cutoff, but too late for fitting; the final model is
#   trained on them, too.
#
# A random split would put the same customer's row of March into training and that of April into the
# test. Their label windows overlap, so the model would be tested on outcomes it was trained on.

# %%
split = split_rows(target, config, rows)
cutoffs, first = np.unique(rows.cutoff, return_index=True)
masks = {name: getattr(split, name)[first] for name in ("fit", "valid", "test", "refit")}
parts = [split_part(masks, place) for place in range(len(cutoffs))]
dates = list(pd.to_datetime(cutoffs, unit="us"))
show(
    plot_split(
        dates, parts, config.gap_days, target.span_days(config),
        f"{parts.count('fit')} cutoffs to fit, then one to validate, then one to test",
    ),
    "Timeline with one row for each cutoff: a dot at the cutoff and a bar over its label window, "
    "coloured by part; dashed lines mark the validation and the test cutoff",
)  # fmt: skip

# %% [markdown]
# ## Churn rate
#
# Only customers in the **population** have rows; with contracts, those with an open contract. The
# churn rate varies with the season. This is another reason to evaluate on a later cutoff, and to
# check the *level* of the probabilities as well as their order.

# %%
left = pd.Series(rows.label).groupby(rows.cutoff).agg(["mean", "size"])
low, high = wilson_interval(left["mean"].to_numpy(), left["size"].to_numpy())
figure, (axis,) = canvas(
    f"Between {left['mean'].min():.1%} and {left['mean'].max():.1%} leave within "
    f"{config.horizon_days} days",
    "By cutoff, with 95% intervals; orange: the test cutoff", (1,), (9.6, 3.8),
)  # fmt: skip
axis.fill_between(dates, low, high, color=MODEL, alpha=0.18, lw=0)
axis.plot(dates, left["mean"], "o-", color=MODEL, lw=2, ms=5)
axis.plot(dates[-1], left["mean"].iloc[-1], "o", color=RULE, ms=10)
axis.set(ylim=(0, None), ylabel=f"share who leave within {config.horizon_days} days")
percent(axis, "y")
along_time(axis)
show(
    figure, "Line: churn rate by cutoff, with its 95% interval as a band; the last dot is the test"
)

# %% [markdown]
# ## Training
#
# One call splits, fits, calibrates, refits and evaluates. Metrics have 95% intervals, from
# resampling whole customers. The **grade** is A if the model beats the baseline rule beyond chance,
# B if the difference is within the noise, and C if the model does not beat it.

# %%
trained = train(target, company, rows)
evaluation = trained.evaluation
WHO = {"model": "model", "rule": "baseline rule", "linear": "linear model"}
print(f"Grade {evaluation.grade}. {reason_sentence(evaluation.reason)}")
measured = evaluation.table()
measured.index = [MEASURES[name].label for name in measured.index]
headed(measured, {"better": "better values", **WHO}, "measure, with its 95% interval")

# %%
primary = MEASURES[evaluation.primary].label
names = [m for m in ("roc_auc", "pr_auc", "capture", "brier") if m in evaluation.metrics["model"]]
sources = [("rule", QUIET), ("linear", RULE), ("model", MODEL)]
figure, axes = canvas(
    f"{primary}: model {evaluation.metrics['model'][evaluation.primary].value:.3f}, "
    f"linear {evaluation.metrics['linear'][evaluation.primary].value:.3f}, "
    f"baseline rule {evaluation.metrics['rule'][evaluation.primary].value:.3f}",
    f"{evaluation.rows:,} customers at the test cutoff; whiskers: 95% intervals", (1,) * len(names),
    (9.6, 3.0),
)  # fmt: skip
for axis, name in zip(axes, names, strict=True):
    for place, (who, colour) in enumerate(sources):
        value = evaluation.metrics[who][name]
        better = (
            "high is better"
            if evaluation.table().loc[name, "better"] == "high"
            else "low is better"
        )
        dots(axis, [WHO[w] for w, _ in sources], [(np.nan,) * 3] * place
             + [(value.value, value.low, value.high)], better, colour)  # fmt: skip
    if axis is not axes[0]:
        axis.set_yticklabels([])
    axis.locator_params(axis="x", nbins=3)
    heading(axis, MEASURES[name].label)
show(
    figure,
    f"One panel for each measure ({', '.join(MEASURES[name].label for name in names)}): value and 95% "
    "interval of the baseline rule, the linear model and the model",
)

# %% [markdown]
# ## Ranking
#
# Left, the ROC curve: share of churned customers found against the share of false alarms. Right,
# the precision-recall curve: share of the flagged customers who churn. When few customers churn,
# the second says more about the daily work.

# %%
meanings = {c.name: c.meaning for c in plan_for(manifest.schema).columns}
test, predictions = trained.test, trained.predictions
plots = draw_all(target.kind, test.label, predictions["model"], predictions["rule"], test.weight,
                trained.estimator.importance(), descriptions=meanings)  # fmt: skip
show(
    plots["roc_and_pr"],
    "Left: ROC curves of model and rule. Right: their precision by recall. Dashed: chance",
)

# %% [markdown]
# ## Calibration
#
# A probability that is used in calculations ("expected loss = probability × value") must be
# **calibrated**: of the customers with a predicted probability of 30%, three in ten leave. The
# calibration is fitted on the validation cutoff, because predictions for the trees' own training
# rows are overconfident.

# %%
show(
    plots["reliability"],
    "Left: share who left by predicted probability, by decile with 95% intervals, of model and rule; "
    "dashed: perfect calibration. Right: histograms of the predicted probabilities",
)

# %% [markdown]
# ## Gain and lift
#
# No company calls all of its customers. **Gain**: the share of all churned customers among the 10%
# with the highest probability. **Lift**: how many times the average that is.

# %%
show(
    plots["gain_and_lift"],
    "Left: curves of model and rule, share of churned customers found by share of customers "
    "contacted; dashed: at random. Right: bars, lift by decile",
)

# %% [markdown]
# ## Feature importance
#
# The share of the loss reduction in training, by feature. It shows what the model *uses*, not what
# would *help*: late payments may be a symptom of the same dissatisfaction that leads to
# cancellation. [04_scores](04_scores.ipynb) shows reasons for single customers.

# %%
show(
    plots["importance"],
    "Bars: share of the loss saved in training by feature; the first ones, which add up to half, are "
    "darker",
)

# %% [markdown]
# ## The added feature
#
# The feature of [02_features](02_features.ipynb), declared again. Does it improve the model? Both
# models predict the same customers, and the **difference** is resampled: comparing two separate
# intervals would say little, because both models share the same sampling noise.


# %%
@feature(unit="days", windows=(90, 365))
def payment_lateness(past):
    """Mean days from the due date to the payment (early: negative) in the last {window} days"""
    return past.events.where(kind="payment").mean("lateness_days")


added = [c.name for c in plan_for(manifest.schema).columns if c.name.startswith("payment_lateness")]
folder = workspace.history(company.name)
history = build_history({n: pq.read_table(folder / f"{n}.parquet") for n in manifest.rows})
keys = pq.read_table(workspace.features(company.name) / "churn.parquet", columns=["customer_id"])
extra = feature_table(history, keys["customer_id"].combine_chunks(), rows.cutoff,
                      plan_for(manifest.schema, tuple(added)))  # fmt: skip
wider = rows.features
for name in added:
    wider = wider.append_column(name, extra[name])
wider_model = train(target, company, replace(rows, features=wider))
comparison = compare_with_champion(
    target.kind,
    test.label,
    wider_model.predictions["model"],
    predictions["model"],
    test.weight,
    test.customer,
)
print(reason_sentence(comparison.reason))

# %%
figure, (left, right) = canvas(
    f"{primary} changes by {comparison.gain.value:+.4f} with the added feature",
    "Left: difference with its 95% interval. Right: predictions for the same customers", (1, 1),
)  # fmt: skip
gain = comparison.gain
dots(left, [" and\n".join(added) or "no column\nadded"], [(gain.value, gain.low, gain.high)],
     f"difference in {primary}")  # fmt: skip
left.locator_params(axis="x", nbins=4)
left.axvline(0, color=QUIET, lw=1, ls=(0, (4, 3)))
heading(left, "Improvement")
for label, colour, name in ((0, QUIET, "stayed"), (1, RULE, "left")):
    mask = test.label == label
    right.plot(predictions["model"][mask], wider_model.predictions["model"][mask], ".", ms=5,
               mew=0, color=colour, alpha=0.35 if label == 0 else 0.9, label=name)  # fmt: skip
top = max(predictions["model"].max(), wider_model.predictions["model"].max())
right.plot([0, top], [0, top], color=QUIET, lw=1, ls=(0, (4, 3)))
right.set(xlabel="churn probability without the feature", ylabel="churn probability with it")
percent(right, "xy")
heading(right, f"By customer, within {config.horizon_days} days")
legend(right, "upper left")
show(
    figure,
    "Left: the difference with its 95% interval; dashed: none. Right: one dot for each test customer, "
    "churn probability without and with the feature",
)

# %% [markdown]
# ## Slices
#
# One metric for all customers hides groups for which the model is weak. Here is the same metric by
# slice. A wide interval means too few cases. A low value means that the model has too little
# information, typically about new customers.

# %%
frame = test.features.to_pandas()
slices = {}
if "tenure_days" in frame:
    early = frame["tenure_days"] < 365
    slices |= {"customer for under a year": early, "customer for over a year": ~early}
if "csat_last" in frame:
    no_answer = frame["csat_last"].isna()
    slices |= {"never answered a survey": no_answer, "answered a survey": ~no_answer}
inactive = frame["days_since_order"].fillna(9999) > 90
slices |= {"no order for 90 days": inactive, "order within 90 days": ~inactive}
for column in ("crm_company_size", "crm_region"):
    if column in frame:
        for word in sorted(frame[column].dropna().unique()):
            slices[f"{column.removeprefix('crm_').replace('_', ' ')}: {word}"] = (
                frame[column] == word
            )
found = []
for name, mask in slices.items():
    mask = mask.to_numpy()
    if test.label[mask].sum() >= 5:
        area = bootstrap(roc_auc, test.label[mask], predictions["model"][mask])
        found.append((f"{name} ({test.label[mask].sum():.0f} of {mask.sum():,} left)", area))
whole = evaluation.metrics["model"]["roc_auc"].value
title = "Too few churned customers to compare slices"
if found:
    name, area = min(found, key=lambda f: f[1].value)
    certain = "Weakest slice" if area.high < whole else "Weakest slice (within the noise)"
    title = f"{certain}: {name.split(' (')[0]}"
figure, (axis,) = canvas(
    title,
    "ROC AUC within each slice, with 95% intervals; dashed: all customers",
    (1,), (9.6, 1.7 + 0.33 * max(1, len(found))),
)  # fmt: skip
dots(axis, [n for n, _ in found], [(a.value, a.low, a.high) for _, a in found],
     "ROC AUC; 0.5 is random")  # fmt: skip
axis.axvline(whole, color=QUIET, lw=1, ls=(0, (4, 3)))
axis.axvline(0.5, color=RULE, lw=1)
show(figure, "One row for each slice of customers: ROC AUC with its 95% interval")

# %% [markdown]
# ## Customer value
#
# **Value** is the net revenue in the horizon: orders minus returns. Many customers have no revenue,
# a few have a hundred times the average. The model therefore predicts a multiple of the customer's
# usual spending, and its error is measured in money. The baseline rule, the revenue of the previous
# period, is hard to beat.

# %%
value = train(TARGETS["value"], company, load_rows(company, workspace, "value"))
print(f"Grade {value.evaluation.grade}. {reason_sentence(value.evaluation.reason)}")
value_plots = draw_all("regression", value.test.label, value.predictions["model"],
                       value.predictions["rule"], value.test.weight)  # fmt: skip
show(
    value_plots["residuals"],
    "Left: actual by predicted value, one dot for each customer, and means by decile of model and "
    "rule, on logarithmic axes. Right: histograms of the errors of model and rule",
)

# %%
show(
    value_plots["gain_and_lift"],
    "Left: curves of model and rule, share of all value by share of customers, highest predictions "
    "first; dashed: at random. Right: bars, lift by decile",
)

# %% [markdown]
# ## Summary
#
# - Evaluate on later cutoffs whose label windows do not overlap those of training.
# - Report each metric with that of the baseline rule, and each difference with its interval.
# - Ranking decides whom to call; calibration allows calculations.
# - Check slices to find where the model is weak.

# %% [markdown]
# ## Exercise 1: A hundred calls
#
# The service desk can call 100 of the test customers. How many of those who leave are among the 100
# with the highest probability of the model, and how many with the baseline rule and the linear model?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# def leavers_called(who, calls=100):
#     """Number of customers who leave among the first calls."""
#     first = np.argsort(-predictions[who], kind="stable")[:calls]
#     return int(test.label[first].sum())
#
#
# called = pd.DataFrame({"found": {WHO[who]: leavers_called(who) for who in predictions if who in WHO}})
# called["share"] = called["found"] / test.label.sum()
# words = {"found": "leavers among 100 calls", "share": "share of all leavers"}
# headed(called, words, "order of the calls")
# ```
#
# The differences are what the model is worth to the service desk: the same number of calls reaches
# more customers who would leave.
#
# </details>

# %% [markdown]
# ## Exercise 2: Calibration where it matters
#
# Calls go to the tenth with the highest probabilities. What share of them should leave according to
# the model, and what share left, with a 95% interval? (`wilson_interval` takes shares and numbers.)
#
# <details>
# <summary>Answer</summary>
#
# ```python
# highest = np.argsort(-predictions["model"])[: len(test.label) // 10]
# share = np.array([test.label[highest].mean()])
# low, high = wilson_interval(share, np.array([len(highest)]))
# expected = predictions["model"][highest].mean()
# print(f"{len(highest)} customers: {expected:.1%} should leave, {share[0]:.1%} left "
#       f"({low[0]:.1%} to {high[0]:.1%})")
# ```
#
# If the expected share lies within the interval, the probabilities of these customers are consistent
# with what happened. With few customers the interval is wide, and a bad calibration may hide in it.
#
# </details>
