# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11 · Complaints: categories and causes
#
# Complaint counts show what customers *write* about. What causes dissatisfaction is a different
# question: customers who experience a problem differ from others in more than the problem. This
# notebook goes from a Pareto table to causes estimated among similar customers, for Olist, a
# Brazilian marketplace (or the company named by `GOODWILL_COMPANY`).

# %%
# %matplotlib inline
import os

import numpy as np
import pandas as pd
from bars import bars, dots, heading
from start import open_company

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

workspace, company = open_company(COMPANY, upto="data")

# %% [markdown]
# ## Intake
#
# Tickets of kind `complaint` are complaints. For a company without tickets, such as Olist, the
# comments of dissatisfied customers are used. Given categories are kept; missing ones are predicted
# from complaints with a category, or assigned by topic, in Chinese, English and Portuguese.

# %%
found = read_complaints(company, workspace)
print(f"{len(found.table):,} complaints of {found.customers:,} customers, from {found.source}")
print("categories:", found.categories.counts())

# %% [markdown]
# ## Pareto table
#
# The few categories that account for 80% of the complaints. Bars show 95% intervals; a row that
# stands for several orders (`weight`) counts as many times.

# %%
rows = compute_pareto(found.table)
vital = select_vital_few(rows)
figure, (left, right) = canvas(
    f"{len(vital)} of {len(rows)} categories account for 80%: {', '.join(vital)}",
    "Share of complaints by category with 95% intervals, and cumulative share", (1.3, 1), (9.6, 3.6),
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
heading(right, "Cumulative share")
figure

# %%
opened = found.table["opened_at"].dt.tz_convert(company.info.time_zone).dt.tz_localize(None)
months = opened.dt.to_period("Q").astype(str)
table = found.table.assign(quarter=months)
by_quarter = table.pivot_table(
    index="quarter", columns="category", values="weight", aggfunc="sum", fill_value=0
)
by_quarter = by_quarter[table["quarter"].value_counts().reindex(by_quarter.index) >= 20]
shares = by_quarter.div(by_quarter.sum(axis=1), axis=0)
figure, (axis,) = canvas(
    f"Complaint categories, {by_quarter.index[0]} to {by_quarter.index[-1]}",
    "Share of the complaints of each quarter; main categories", (1,), (9.6, 3.2),
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
# Time to the first reply and to the resolution. Open complaints count with their waiting time so
# far (Kaplan-Meier): leaving out slow cases would make handling look faster than it is.

# %%
print("status:", count_states(found.table) or "not recorded")
times = compute_cycle_times(found.table, found.end)
pd.DataFrame([vars(t) for t in times] or [{"step": "not recorded"}]).round(1)

# %%
pd.DataFrame(
    [vars(r) for r in compute_reopen_rates(found.table)] or [{"reopened": "not recorded"}]
).round(3)

# %% [markdown]
# ## Causes of dissatisfaction
#
# Each answer is related to prior exposures: late deliveries, returns, complaints, slow replies. The
# **attributable fraction** of an exposure is the share of all dissatisfaction that would not occur
# without it. It compares customers with similar region, product, season, spending, earlier ratings
# and complaint history (confounders), with a doubly robust estimator: one of two models must be
# right. Weights correct for non-response. Fractions overlap and need not sum to 100%.

# %%
ranking = analyse_causes("dissatisfaction", company, workspace, found)
ranked = ranking.causes
first = ranked[0]
figure, (left, right) = canvas(
    f"{first.cause.name}: {first.attribution.share.value:.0%} of all dissatisfaction attributable to it",
    f"{ranking.rows:,} answers, {ranking.rate:.1%} dissatisfied; 95% intervals over customers", (1, 1),
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
heading(left, "Attributable fraction")
effects = [
    (r.attribution.effect.value, r.attribution.effect.low, r.attribution.effect.high)
    for r in ranked
]
dots(right, [""] * len(ranked), effects, label="among similar customers")
naive = [r.attribution.naive_effect for r in ranked]
right.plot(
    naive, np.arange(len(ranked)) + 0.2, "o", color=CASE, ms=5, label="unadjusted difference"
)
percent(right, "x")
heading(right, "Increase of the risk with the exposure")
legend(right, "lower right")
figure

# %%
columns = ("met", "exposed", "rate_met", "naive_effect", "e_value", "beyond")
pd.DataFrame(
    [{"cause": r.cause.name, **{c: getattr(r.attribution, c) for c in columns}} for r in ranked]
).round(3)

# %% [markdown]
# `e_value`: to explain the effect away, an unobserved confounder would have to raise both the
# probability of the exposure and that of dissatisfaction by this factor.
#
# ## Dose response: days late
#
# The effect of one more day late varies. Each band is compared with deliveries on time.

# %%
name = "late delivery" if "late delivery" in ranking.doses else next(iter(ranking.doses))
bands = [d for d in ranking.doses[name] if d.attribution]
labels = [
    f"{d.low:g} to {d.high:g}" if np.isfinite(d.high) else f"{d.low:g} and more" for d in bands
]
figure, (left, right) = canvas(
    f"{name}, {labels[0]} days: {bands[0].attribution.effect.value:+.0%} dissatisfied; "
    f"{labels[-1]}: {bands[-1].attribution.effect.value:+.0%}",
    "Increase of the risk of dissatisfaction against deliveries on time, with 95% intervals", (1.4, 1),
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
# The same analysis applied to the causes: what makes deliveries late? Questions that the data
# cannot answer stay open, for people to answer. `build_cause_tree(...).to_dict()` returns the tree
# as JSON.

# %%
print(format_cause_tree(build_cause_tree(ranking)))

# %% [markdown]
# ## Causes of churn

# %%
try:
    churn_causes = analyse_causes("churn", company, workspace, found)
    print(format_cause_tree(build_cause_tree(churn_causes)))
except DataRefused as err:
    print(err)

# %% [markdown]
# ## Summary
#
# - Complaints *mention* a topic; the attributable fraction estimates what would change without the
#   cause.
# - The unadjusted difference mixes the problem with differences between customers.
# - The effects rely on the confounders in the tables; the next notebook tests an action with a
#   hold-out group.
