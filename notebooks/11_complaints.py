# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11 · Complaints: what they are about, and what is behind them
#
# A count of complaints says what people *write* about. What makes them discontent is another question:
# those who meet a problem differ from others in more than the problem. This notebook goes from the
# Pareto table to causes that are compared among customers who are alike, on Olist, a Brazilian
# marketplace (or on the company that `GOODWILL_COMPANY` names).

# %%
# %matplotlib inline
import os

import numpy as np
import pandas as pd
from bars import bars, dots, heading
from start import begin

from features.errors import DataRefused
from insight.complaints.cause_tree import build_cause_tree, format_cause_tree
from insight.complaints.complaint_analysis import analyse_causes
from insight.complaints.handling_times import (
    compute_cycle_times,
    compute_reopen_rates,
    count_states,
)
from insight.complaints.intake import read_complaints
from insight.complaints.pareto import compute_pareto, select_vital_few
from models.plots.style import CASE, MODEL, QUIET, RULE, canvas, legend, percent

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/olist.toml")

workspace, company = begin(COMPANY, upto="data")

# %% [markdown]
# ## Intake
#
# Tickets of kind `complaint` are complaints. A company without tickets, such as Olist, still has what
# discontent customers wrote beside their rating. A category that is given stands; the others are read:
# learned from those that have one, or by topic, in Chinese, English and Portuguese.

# %%
found = read_complaints(company, workspace)
print(f"{len(found.table):,} complaints of {found.customers:,} customers, from {found.source}")
print("categories:", found.categories.counts())

# %% [markdown]
# ## The Pareto table
#
# The few categories that hold four fifths of all complaints. Bars carry 95 % intervals; where a row
# stands for several orders (`weight`), it counts as many.

# %%
rows = compute_pareto(found.table)
vital = select_vital_few(rows)
figure, (left, right) = canvas(
    f"{len(vital)} of {len(rows)} categories hold four fifths: {', '.join(vital)}",
    "Share of complaints by category, with 95 % intervals; and summed up", (1.3, 1), (9.6, 3.6),
)  # fmt: skip
names = [r.category for r in rows]
dots(left, names, [(r.share, r.low, r.high) for r in rows])
percent(left, "x")
heading(left, "Share of complaints")
place = np.arange(1, len(rows) + 1)
right.plot(place, [r.cumulative for r in rows], "o-", color=RULE)
right.axhline(0.8, color=QUIET, lw=1, ls=(0, (4, 3)))
right.set(ylim=(0, 1.05), xlabel="categories, largest first")
percent(right, "y")
heading(right, "Summed up")
figure

# %%
months = found.table["opened_at"].dt.tz_convert(None).dt.to_period("Q").astype(str)
table = found.table.assign(quarter=months)
by_quarter = table.pivot_table(
    index="quarter", columns="category", values="weight", aggfunc="sum", fill_value=0
)
by_quarter = by_quarter[table["quarter"].value_counts().reindex(by_quarter.index) >= 20]
shares = by_quarter.div(by_quarter.sum(axis=1), axis=0)
figure, (axis,) = canvas(
    f"From {by_quarter.index[0]} to {by_quarter.index[-1]}, what complaints were about",
    "Share of the complaints of each quarter, the vital few", (1,), (9.6, 3.2),
)  # fmt: skip
for name, colour in zip(vital, (CASE, MODEL, RULE, QUIET) * 3, strict=False):
    axis.plot(shares.index, shares[name], "o-", color=colour, label=name, ms=4)
percent(axis, "y")
axis.set_ylim(0, None)
axis.tick_params(axis="x", labelrotation=30)
legend(axis)
figure

# %% [markdown]
# ## Handling
#
# How long a complaint waits for the first reply and for its solution. Those still waiting count for as
# long as they have waited (Kaplan-Meier): a desk looks quick if its slow cases are left out.

# %%
print("where they stand:", count_states(found.table) or "not recorded")
times = compute_cycle_times(found.table, found.end)
pd.DataFrame([vars(t) for t in times] or [{"step": "not recorded"}]).round(1)

# %%
pd.DataFrame(
    [vars(r) for r in compute_reopen_rates(found.table)] or [{"reopened": "not recorded"}]
).round(3)

# %% [markdown]
# ## Causes of discontent
#
# Each answer is looked at with what had happened before it: promised days missed, returns, complaints,
# slow help. For each, the **attributable share** is the part of all discontent that would not be there
# without it. It comes from comparing customers alike in region, product, season, spend, former ratings
# and how often they wrote before (who complains readily), by an estimate that is right if either of two
# models is. Who does not answer is weighted for. Shares overlap: they need not add up.

# %%
ranking = analyse_causes("dissatisfaction", company, workspace, found)
ranked = ranking.causes
first = ranked[0]
figure, (left, right) = canvas(
    f"{first.cause.name}: {first.attribution.share.value:.0%} of all discontent would not be there without it",
    f"{ranking.rows:,} answers, {ranking.rate:.1%} discontent; 95 % intervals over customers", (1, 1),
    (9.6, 2.4 + 0.3 * len(ranked)),
)  # fmt: skip
causes = [r.cause.name for r in ranked]
dots(
    left,
    causes,
    [
        (r.attribution.share.value, r.attribution.share.low, r.attribution.share.high)
        for r in ranked
    ],
)
percent(left, "x")
heading(left, "Share of the discontent")
effects = [
    (r.attribution.effect.value, r.attribution.effect.low, r.attribution.effect.high)
    for r in ranked
]
dots(right, [""] * len(ranked), effects, label="among customers alike")
naive = [r.attribution.naive_effect for r in ranked]
right.plot(naive, np.arange(len(ranked)) + 0.2, "o", color=CASE, ms=5, label="plain difference")
percent(right, "x")
heading(right, "Rise of the risk where it was met")
legend(right, "lower right")
figure

# %%
columns = ("met", "exposed", "rate_met", "naive_effect", "e_value", "beyond")
pd.DataFrame(
    [{"cause": r.cause.name, **{c: getattr(r.attribution, c) for c in columns}} for r in ranked]
).round(3)

# %% [markdown]
# `e_value`: a hidden difference between the customers would have to raise both the chance of meeting the
# cause and that of discontent by this factor to explain the effect away.
#
# ## How much, by days late
#
# One more day late is not worth the same everywhere. Each band is compared with orders in time.

# %%
name = "late delivery" if "late delivery" in ranking.doses else next(iter(ranking.doses))
bands = [d for d in ranking.doses[name] if d.attribution]
labels = [
    f"{d.low:g} to {d.high:g}" if np.isfinite(d.high) else f"{d.low:g} and more" for d in bands
]
figure, (left, right) = canvas(
    f"{name}, {labels[0]} days: {bands[0].attribution.effect.value:+.0%} discontent; "
    f"{labels[-1]}: {bands[-1].attribution.effect.value:+.0%}",
    "Rise of the risk of discontent against those in time, with 95 % intervals; and how many", (1.4, 1),
    (9.6, 3.0),
)  # fmt: skip
values = [
    (d.attribution.effect.value, d.attribution.effect.low, d.attribution.effect.high) for d in bands
]
dots(left, [f"{label} days" for label in labels], values, CASE)
percent(left, "x")
heading(left, "Effect by days late")
bars(right, [""] * len(bands), [d.rows for d in bands])
heading(right, "Answers")
figure

# %% [markdown]
# ## Five whys
#
# The same comparison, asked of the causes: what makes deliveries late? What the tables cannot answer is
# left open, for the people at the table. `tree(...).to_dict()` is the same as JSON.

# %%
print(format_cause_tree(build_cause_tree(ranking)))

# %% [markdown]
# ## Causes of departures

# %%
try:
    leaving = analyse_causes("churn", company, workspace, found)
    print(format_cause_tree(build_cause_tree(leaving)))
except DataRefused as err:
    print(err)

# %% [markdown]
# ## What to remember
#
# - Most complaints *name* a thing; the attributable share says what would change if it went away.
# - The plain difference mixes the problem with the people who meet it.
# - An effect here rests on what the tables show; the next notebook tests a remedy with a hold-out group.
