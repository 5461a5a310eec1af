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
from figures import show
from readable_tables import headed
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
from models.plots.style import ACTUAL, INK, MODEL, QUIET, RULE, canvas, legend, percent

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
print("categories:", ", ".join(f"{n:,} {how}" for how, n in found.categories.counts().items()))

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
dots(left, names, [(r.share, r.low, r.high) for r in rows], "share of the complaints")
percent(left, "x")
heading(left, "Share of complaints")
place = np.arange(1, len(rows) + 1)
right.plot(place, [r.cumulative for r in rows], "o-", color=RULE)
right.axhline(0.8, color=QUIET, lw=1, ls=(0, (4, 3)))
right.set(ylim=(0, 1.05), xlabel="number of categories, largest first")
right.set_ylabel("share of the complaints")
right.set_xticks(place)
percent(right, "y")
heading(right, "Cumulative share")
show(
    figure,
    "Left: share of the complaints by category with 95% intervals. Right: line, cumulative share by "
    "number of categories; dashed: 80%",
)

# %%
opened = found.table["opened_at"].dt.tz_convert(company.info.time_zone).dt.tz_localize(None)
months = opened.dt.to_period("Q").astype(str)
table = found.table.assign(quarter=months)
by_quarter = table.pivot_table(
    index="quarter", columns="category", values="weight", aggfunc="sum", fill_value=0
)
by_quarter = by_quarter[table["quarter"].value_counts().reindex(by_quarter.index) >= 20]
shares = by_quarter.div(by_quarter.sum(axis=1), axis=0).astype(float)
figure, (axis,) = canvas(
    f"Complaint categories, quarters {by_quarter.index[0]} to {by_quarter.index[-1]}",
    "Share of the complaints of each quarter; main categories", (1,), (9.6, 3.2),
)  # fmt: skip
looks = (("o-", RULE), ("s--", MODEL), ("^-.", ACTUAL), ("D:", INK), ("v-", QUIET)) * 3
quarters = [quarter.replace("Q", " Q") for quarter in shares.index]
for name, (line, colour) in zip(vital, looks, strict=False):
    axis.plot(quarters, shares[name], line, color=colour, label=name, ms=4)
percent(axis, "y")
axis.set_ylim(0, 1.3 * shares[vital].max().max())
axis.set_ylabel("share of the complaints")
axis.legend(frameon=False, fontsize=9, loc="upper center", ncols=len(vital))
show(figure, f"Lines: share of the complaints by quarter, for {', '.join(vital)}")

# %% [markdown]
# ## Handling
#
# Time to the first reply and to the resolution. Open complaints count with their waiting time so
# far (Kaplan-Meier): leaving out slow cases would make handling look faster than it is.

# %%
states = count_states(found.table)
print("status:", ", ".join(f"{n:,} {state}" for state, n in states.items()) or "not recorded")
times = compute_cycle_times(found.table, found.end)
words = {
    "category": "category",
    "complaints": "complaints",
    "waiting": "still waiting",
    "median": "median",
    "low": "interval from",
    "high": "to",
    "nine_in_ten": "nine in ten within",
    "unit": "unit",
}
steps = pd.DataFrame([vars(t) for t in times] or [{"step": "times", "category": "not recorded"}])
headed(steps.set_index("step"), words, "step")

# %%
words = {
    "solved": "solved",
    "reopened": "reopened",
    "rate": "share reopened",
    "low": "interval from",
    "high": "to",
}
reopened = [vars(r) for r in compute_reopen_rates(found.table)]
again = pd.DataFrame(reopened or [{"category": "all", "reopened": "not recorded"}])
headed(again.set_index("category"), words, "category")

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
    "share of all dissatisfaction",
)
percent(left, "x")
heading(left, "Attributable fraction")
effects = [
    (r.attribution.effect.value, r.attribution.effect.low, r.attribution.effect.high)
    for r in ranked
]
dots(right, [""] * len(ranked), effects, "difference of the risk, percentage points",
     label="among similar customers")  # fmt: skip
naive = [r.attribution.naive_effect for r in ranked]
right.plot(
    naive, np.arange(len(ranked)) + 0.2, "s", color=RULE, ms=5, label="unadjusted difference"
)
right.set_ylim(len(ranked) + 0.6, -0.5)
left.set_ylim(len(ranked) + 0.6, -0.5)
percent(right, "x")
heading(right, "Increase of the risk with the exposure")
legend(right, "lower right")
show(
    figure,
    "One row for each cause. Left: attributable fraction with its 95% interval. Right: difference of "
    "the risk among similar customers with its interval, and the unadjusted difference",
)

# %%
words = {
    "met": "exposed answers",
    "exposed": "share exposed",
    "rate_met": "share dissatisfied",
    "naive_effect": "unadjusted difference",
    "e_value": "E-value",
    "beyond": "share without similar customers",
}
details = pd.DataFrame([vars(r.attribution) for r in ranked], index=causes)
headed(details, words, "cause")

# %% [markdown]
# E-value: to explain the effect away, an unobserved confounder would have to raise both the
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
dots(
    left, [f"{label} days" for label in labels], values, "difference of the risk, percentage points"
)
percent(left, "x")
heading(left, "Effect by days late")
bars(right, [""] * len(bands), [d.rows for d in bands], "answers")
heading(right, "Size of the band")
show(
    figure,
    f"One row for each band of {name}. Left: increase of the risk of dissatisfaction with its 95% "
    "interval. Right: bars, number of answers",
)

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

# %% [markdown]
# ## Exercise 1: How sure is the order of the categories?
#
# Which neighbours in the Pareto table have intervals that overlap, so that their order may be chance?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# for one, other in zip(rows, rows[1:], strict=False):
#     overlap = other.high >= one.low
#     print(f"{one.category} {one.share:.1%}, {other.category} {other.share:.1%}: "
#           f"{'may be chance' if overlap else 'a clear order'}")
# ```
#
# Overlapping intervals are a quick check, and a cautious one. A plan that depends on which of two such
# categories is larger should wait for more complaints.
#
# </details>

# %% [markdown]
# ## Exercise 2: What would fewer delays be worth?
#
# The first cause has an attributable fraction. If half of its exposures were prevented, how many of the
# dissatisfied answers would not have been, with the interval? Which assumption does this need?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# share, dissatisfied = first.attribution.share, ranking.rows * ranking.rate
# value, low, high = (0.5 * dissatisfied * x for x in (share.value, share.low, share.high))
# print(f"{first.cause.name}, halved: {value:,.0f} fewer dissatisfied answers of {dissatisfied:,.0f} "
#       f"({low:,.0f} to {high:,.0f})")
# ```
#
# It assumes that the effect among similar customers is the effect of the cause, that is, no unobserved
# confounder, and that preventing half of the exposures prevents half of their effect.
#
# </details>
