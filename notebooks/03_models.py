# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 · Models: is it better than what we already do?
#
# A model is trained on cutoffs whose outcome is known and judged on **later** ones. Beside it, on the
# same rows, stands the **rule** the business could follow without any model (who has been silent longest
# leaves first), and a linear model. What does not beat the rule is not served.

# %%
# %matplotlib inline
import os
from dataclasses import replace

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before LightGBM: waiting threads sleep

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from bars import along_time, dots, heading
from start import begin
from timelines import calendar, part_of

from features.definitions.feature_registry import feature
from features.feature_table import feature_table, plan_for
from features.history.build_history import build_history
from features.history_store import Manifest
from models.evaluation.bootstrap import bootstrap
from models.evaluation.calibration_error import wilson_interval
from models.evaluation.grade import compare_with_champion
from models.evaluation.metrics import roc_auc
from models.plots.all_plots import draw_all
from models.plots.style import MODEL, QUIET, RULE, canvas, legend, percent
from models.targets.registry import TARGETS
from models.training.train import load_rows, split_rows, train

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = begin(COMPANY, upto="features")
manifest = Manifest.read(workspace, company.name)
target = TARGETS["churn"]
config = company.target("churn")
rows = load_rows(company, workspace, "churn")
print(f"{len(rows.label):,} rows of {len(np.unique(rows.customer)):,} customers at "
      f"{len(np.unique(rows.cutoff))} cutoffs; {rows.label.mean():.1%} left within "
      f"{config.horizon_days} days")  # fmt: skip

# %% [markdown]
# ## The label, and the split in time
#
# The label of a cutoff `c` is what happens in `[c + gap, c + gap + horizon)`. It is **ripe** when that
# window lies inside the data; unripe labels never train, for "has not left so far" is not "stays".
#
# - **test**: the last ripe cutoff. It plays the part of tomorrow.
# - **valid**: the last cutoff whose label was ripe *before* the test cutoff. It decides when to stop
#   growing trees, and learns the calibration.
# - **fit**: cutoffs ripe before the validation cutoff. The bars must not cross the dashed lines.
# - **only refit**: ripe before the test, but too late to fit; the model that ships learns from them.
#
# A random split would put the same customer in March into training and in April into the test. The two
# label windows share two months: the model would be asked what it has already been told.

# %%
split = split_rows(target, config, rows)
moments, first = np.unique(rows.cutoff, return_index=True)
masks = {name: getattr(split, name)[first] for name in ("fit", "valid", "test", "refit")}
parts = [part_of(masks, place) for place in range(len(moments))]
dates = list(pd.to_datetime(moments, unit="us"))
calendar(dates, parts, config.gap_days, target.span_days(config),
         f"{parts.count('fit')} cutoffs to fit, then one to validate, then one to test")  # fmt: skip

# %% [markdown]
# ## How often it happens
#
# Only customers in the **population** are rows: with contracts, those who have an open one. The share
# that leaves moves with the seasons, which is one more reason to judge on a later cutoff and to ask
# whether the *level* of the probabilities is right, not only their order.

# %%
left = pd.Series(rows.label).groupby(rows.cutoff).agg(["mean", "size"])
low, high = wilson_interval(left["mean"].to_numpy(), left["size"].to_numpy())
figure, (axis,) = canvas(
    f"Between {left['mean'].min():.1%} and {left['mean'].max():.1%} leave within "
    f"{config.horizon_days} days",
    "By cutoff, with 95 % intervals; the dot at the end is the test", (1,), (9.6, 3.8),
)  # fmt: skip
axis.fill_between(dates, low, high, color=MODEL, alpha=0.18, lw=0)
axis.plot(dates, left["mean"], "o-", color=MODEL, lw=2, ms=5)
axis.plot(dates[-1], left["mean"].iloc[-1], "o", color=RULE, ms=10)
axis.set(ylim=(0, None), ylabel="share that left")
percent(axis, "y")
along_time(axis)
figure

# %% [markdown]
# ## Train
#
# One call: split, fit, calibrate, refit, judge. Values stand with their 95 % interval, from resampling
# whole customers. The **grade** is A if the model beats the rule beyond chance, B within the noise, C
# not at all.

# %%
trained = train(target, company, rows)
judged = trained.evaluation
print(f"grade {judged.grade}: {judged.reason}")
judged.table()

# %%
names = [m for m in ("roc_auc", "pr_auc", "capture", "brier") if m in judged.metrics["model"]]
contestants = [("rule", QUIET), ("linear", RULE), ("model", MODEL)]
figure, axes = canvas(
    f"{judged.primary}: model {judged.metrics['model'][judged.primary].value:.3f}, "
    f"linear {judged.metrics['linear'][judged.primary].value:.3f}, "
    f"rule {judged.metrics['rule'][judged.primary].value:.3f}",
    f"{judged.rows:,} customers at the test cutoff; whiskers: 95 % intervals", (1,) * len(names),
    (9.6, 3.0),
)  # fmt: skip
for axis, name in zip(axes, names, strict=True):
    for place, (who, colour) in enumerate(contestants):
        value = judged.metrics[who][name]
        dots(axis, [w for w, _ in contestants], [(np.nan,) * 3] * place
             + [(value.value, value.low, value.high)], colour)  # fmt: skip
    if axis is not axes[0]:
        axis.set_yticklabels([])
    axis.locator_params(axis="x", nbins=4)
    heading(axis, name)
figure

# %% [markdown]
# ## Does it rank?
#
# Left: how many of the leavers are found (up) at what price in false alarms (right). Right: of those
# alarmed, how many are leavers. With few leavers the second tells more about the daily work.

# %%
meanings = {c.name: c.meaning for c in plan_for(manifest.schema).columns}
test, said = trained.test, trained.predictions
drawn = draw_all(target.kind, test.label, said["model"], said["rule"], test.weight,
                trained.estimator.importance(), descriptions=meanings)  # fmt: skip
drawn["roc_and_pr"]

# %% [markdown]
# ## Is 30 % really 30 %?
#
# A probability one can calculate with ("expected loss = probability times value") is **calibrated**:
# of those given 30 %, three in ten leave. Calibration is learnt on the validation cutoff, for what the
# trees say of rows they were fitted on is always too sure.

# %%
drawn["reliability"]

# %% [markdown]
# ## Whom does it find first?
#
# Nobody calls all customers. **Gain**: call the tenth with the highest probability; which share of all
# leavers is among them? **Lift**: how many times the average is that?

# %%
drawn["gain_and_lift"]

# %% [markdown]
# ## What does it look at?
#
# The share of the loss saved in training, by feature. It says what the model *uses*, not what would
# *help*: late payments may be a sign of the same discontent that ends in cancelling. Reasons of single
# customers follow in [04_scores](04_scores.ipynb).

# %%
drawn["importance"]

# %% [markdown]
# ## With the added feature
#
# The feature of [02_features](02_features.ipynb), declared again in a cell. Is the model better with it?
# Both are asked about the same customers, and the **difference** is resampled: two separate intervals
# that overlap would say little, for both share the luck of the draw.


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
again = train(target, company, replace(rows, features=wider))
verdict = compare_with_champion(target.kind, test.label, again.predictions["model"], said["model"], test.weight,
                test.customer)  # fmt: skip
print(verdict.reason)

# %%
figure, (left, right) = canvas(
    f"{again.evaluation.primary} changes by {verdict.gain.value:+.4f} with the added feature",
    "Left: difference with its 95 % interval. Right: what both say of the same customers", (1, 1),
)  # fmt: skip
gain = verdict.gain
dots(left, [" and\n".join(added) or "nothing\nadded"], [(gain.value, gain.low, gain.high)])
left.axvline(0, color=QUIET, lw=1, ls=(0, (4, 3)))
heading(left, "Better by")
for label, colour, name in ((0, QUIET, "stayed"), (1, RULE, "left")):
    mask = test.label == label
    right.plot(said["model"][mask], again.predictions["model"][mask], ".", ms=5, mew=0, color=colour,
               alpha=0.35 if label == 0 else 0.9, label=name)  # fmt: skip
top = max(said["model"].max(), again.predictions["model"].max())
right.plot([0, top], [0, top], color=QUIET, lw=1, ls=(0, (4, 3)))
right.set(xlabel="probability without it", ylabel="probability with it")
percent(right, "xy")
heading(right, "Customer by customer")
legend(right, "upper left")
figure

# %% [markdown]
# ## Where is it weak?
#
# One figure for all customers hides whom the model serves badly. The same measure by slice; where the
# whiskers are long there are too few cases to tell, where they lie low the model has too little to go
# by, typically among customers about whom little is known yet.

# %%
frame = test.features.to_pandas()
slices = {}
if "tenure_days" in frame:
    early = frame["tenure_days"] < 365
    slices |= {"with us under a year": early, "with us over a year": ~early}
if "csat_last" in frame:
    silent = frame["csat_last"].isna()
    slices |= {"never answered a survey": silent, "answered one": ~silent}
quiet = frame["days_since_order"].fillna(9999) > 90
slices |= {"no order for 90 days": quiet, "ordered since": ~quiet}
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
        area = bootstrap(roc_auc, test.label[mask], said["model"][mask])
        found.append((f"{name} ({test.label[mask].sum():.0f} of {mask.sum():,} left)", area))
whole = judged.metrics["model"]["roc_auc"].value
title = "Too few left to look at slices"
if found:
    name, area = min(found, key=lambda f: f[1].value)
    certain = "Weakest" if area.high < whole else "Weakest, if not by chance"
    title = f"{certain}: {name.split(' (')[0]}"
figure, (axis,) = canvas(
    title,
    "ROC area within a slice, with 95 % intervals; dashed: all customers",
    (1,), (9.6, 1.7 + 0.33 * max(1, len(found))),
)  # fmt: skip
dots(axis, [n for n, _ in found], [(a.value, a.low, a.high) for _, a in found])
axis.axvline(whole, color=QUIET, lw=1, ls=(0, (4, 3)))
axis.axvline(0.5, color=RULE, lw=1)
axis.set_xlabel("ROC area; 0.5 is a coin")
figure

# %% [markdown]
# ## What a customer will be worth
#
# **Value** is the net revenue of the horizon: orders less returns. Half the customers are worth nothing,
# a few are worth a hundred others. So the model predicts a multiple of what the customer is used to
# spending, and its error is counted in money. The rule is hard to beat: the last period once more.

# %%
value = train(TARGETS["value"], company, load_rows(company, workspace, "value"))
print(f"grade {value.evaluation.grade}: {value.evaluation.reason}")
worth = draw_all("regression", value.test.label, value.predictions["model"], value.predictions["rule"],
                value.test.weight)  # fmt: skip
worth["residuals"]

# %%
worth["gain_and_lift"]

# %% [markdown]
# ## What to remember
#
# - Judge on later cutoffs whose label windows touch nothing the model has learnt from.
# - Never show a measure without the rule's beside it, nor a difference without its interval.
# - Order is for calling, calibration is for calculating.
# - Look for the slice in which it is weak before somebody else does.
