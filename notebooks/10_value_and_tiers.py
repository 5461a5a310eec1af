# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 · Value, tiers and stars
#
# What is a customer worth, who says what that is made of, and where does he stand? This notebook goes
# from measures to a **value score**, asks what its weights matter, draws **tiers** that do not flap,
# gives **stars** that mean something, and names the cause of every move.

# %%
# %matplotlib inline
import os
from itertools import pairwise

import numpy as np
import pandas as pd
from bars import bars, dots, heading
from start import begin

from insight.company_settings import read_section
from insight.segments.lifecycle_stages import LifecycleSettings, assign_stages, count_transitions
from insight.segments.migrations import count_causes, find_migrations, migration_matrix
from insight.segments.quadrant import QuadrantSettings, assign_quadrants
from insight.segments.star_rating import StarSettings, check_star_scale, fit_star_scale
from insight.segments.status_row import build_status_rows
from insight.segments.tier_hysteresis import (
    assign_first_tiers,
    changed_share,
    estimate_half_width,
    update_tiers,
)
from insight.segments.tier_thresholds import (
    TierSettings,
    classify_tiers,
    fit_thresholds,
    summarise_tiers,
)
from insight.value.fuzzy_grades import assign_fuzzy_grades
from insight.value.objective_weights import learned_weights
from insight.value.trait_contrast import contrast_traits
from insight.value.value_metrics import VALUE_METRICS, compute_value_metrics
from insight.value.value_score import (
    Dimension,
    ValueScale,
    ValueSettings,
    compute_value_score,
    compute_weight_sets,
    score_dimensions,
)
from insight.value.weights import compare_weights, normalise_weights, tabulate_weights
from models.plots.style import ACTUAL, CASE, MODEL, QUIET, RULE, canvas, legend, percent

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = begin(COMPANY, upto="score")
history = workspace.history(company.name)
scores = pd.read_parquet(workspace.scores(company.name)).set_index("customer_id")
end = scores["as_of"].max().to_pydatetime()

# %% [markdown]
# ## From measures to a score
#
# Today's table holds what the ledger says, what the models predict and how likely the next payment is
# overdue. A measure becomes points by its rank among the customers of one reference day.

# %%
settings = read_section(company, "value", ValueSettings)
today = compute_value_metrics(history, end, scores)
scale = ValueScale.fit(today, settings)
dims = score_dimensions(today, scale, settings)
sets = compute_weight_sets(dims, settings)
value = compute_value_score(today, scale, settings, sets[settings.weights])
pd.DataFrame(
    {
        "what": [VALUE_METRICS[m].description for m in scale.reference],
        "unit": [VALUE_METRICS[m].unit for m in scale.reference],
        "median": [today[m].median() for m in scale.reference],
        "known": [today[m].notna().mean() for m in scale.reference],
    },
    index=list(scale.reference),
).round(3)

# %%
names = list(settings.dimensions)
against = compare_weights(list(sets.values()), value[names])
table = tabulate_weights(list(sets.values()))
worst = against.loc[against["top_changed"].idxmax()]
figure, (left, right) = canvas(
    f"By {worst['between']}, {worst['top_changed']:.0%} of the best fifth are other customers",
    "Weights of the dimensions by method, and what the choice matters", (1.2, 1), (9.6, 3.6),
)  # fmt: skip
spot = np.arange(len(names))
for i, (method, colour) in enumerate(zip(sets, (MODEL, RULE, ACTUAL, CASE, QUIET), strict=False)):
    left.bar(spot + 0.2 * i - 0.3, table[method], 0.19, color=colour, label=method)
left.set_xticks(spot, [n.replace("_", "\n") for n in names], fontsize=8)
percent(left, "y")
left.set_ylim(0, 1.4 * table[list(sets)].max().max())
heading(left, "Weight")
legend(left)
bars(right, list(against["between"]), list(against["top_changed"]), "{:.0%}")
percent(right, "x")
heading(right, "Of the best fifth, not among the other's")
figure

# %% [markdown]
# ## The score is a figure with an interval, and with grades beside it

# %%
fuzzy = assign_fuzzy_grades(value, sets[settings.weights], settings.grades)
counts = fuzzy.grade.value_counts().reindex(settings.grades.names).fillna(0)
width = (value["value_score_high"] - value["value_score_low"]).median()
figure, (left, right) = canvas(
    f"The middle customer's score may lie anywhere in {width:.0f} points",
    f"{fuzzy.unclear.mean():.0%} of the customers lie between two grades", (1, 1),
)  # fmt: skip
left.hist(value["value_score"].dropna(), bins=40, color=MODEL, alpha=0.85)
left.set(xlabel="value score", ylabel="customers")
heading(left, "Score")
bars(right, settings.grades.names, list(counts))
heading(right, "Customers by fuzzy grade")
figure

# %% [markdown]
# ## Best against worst
#
# Six steps: choose the figure, list the best, list the worst, compare every trait, keep the five that
# matter most and say different things, see who else has them. What the score is made of is left out, and
# what would only repeat it (days late beside the risk of an overdue payment).

# %%
crm = pd.read_parquet(history / "customers.parquet").sort_values("valid_from")
crm = (
    crm.groupby("customer_id").last().drop(columns=["valid_from", "account_owner"], errors="ignore")
)
traits = today[["tenure_days", "churn_probability", "satisfaction_answer"]]
ends = contrast_traits(value["value_score"], traits.join(crm), own=list(scale.reference))
shown = ends.traits.head(8)
figure, (axis,) = canvas(
    f"What separates the best most: {ends.selected[0].replace('_', ' ') if ends.selected else 'nothing'}",
    "Effect between −1 and 1 with its 95 % interval; best minus worst tenth", (1,),
)  # fmt: skip
dots(axis, [str(n).replace("_", " ") for n in shown.index],
     list(shown[["effect", "low", "high"]].itertuples(index=False, name=None)))  # fmt: skip
axis.axvline(0, color=QUIET, lw=1)
figure

# %%
shown.round(3)

# %% [markdown]
# ## Tiers that do not flap
#
# Six months, with measures that can be had on every one of those days. Borders are drawn once. A
# customer moves when the mean of two scores running is surely beyond a border, or one score
# twice as far.

# %%
plain_settings = ValueSettings(
    dimensions={
        "purchasing_power": Dimension(weight=0.4, measures={"revenue": 1.0}),
        "loyalty": Dimension(weight=0.3, measures={"active_months": 0.5, "days_since_order": 0.5}),
        "contribution": Dimension(weight=0.3, measures={"margin": 0.6, "return_share": 0.4}),
    }
)
months = [end - pd.DateOffset(months=m) for m in range(6, -1, -1)]
tables = [compute_value_metrics(history, month) for month in months]
then = ValueScale.fit(tables[0], plain_settings)
values = [compute_value_score(t, then, plain_settings) for t in tables]
figures = [v["value_score"] for v in values]

tier_settings = read_section(company, "tiers", TierSettings)
cut = fit_thresholds(figures[0], tier_settings)
steady, plain = [assign_first_tiers(figures[0], cut)], [classify_tiers(figures[0], cut)]
for before, after in pairwise(figures):
    steady.append(update_tiers(steady[-1], after, estimate_half_width(before, after), cut))
    plain.append(classify_tiers(after, fit_thresholds(after, tier_settings)))
moved = [changed_share(a.tier, b.tier) for a, b in pairwise(steady)]
flapped = [changed_share(a, b) for a, b in pairwise(plain)]
figure, (left, right) = canvas(
    f"{np.mean(moved):.1%} of the customers move a month, by plain quantiles {np.mean(flapped):.1%}",
    "The customers of the sample do change; under pure noise it is less than 1 %", (1, 1),
)  # fmt: skip
left.plot(months[1:], flapped, "o-", color=QUIET, label="plain quantiles")
left.plot(months[1:], moved, "o-", color=MODEL, label="steady")
left.set_ylim(0, None)
left.tick_params(axis="x", rotation=30)
percent(left, "y")
heading(left, "Moved to another tier")
legend(left)
shares = summarise_tiers(tables[-1]["revenue"], steady[-1].tier, cut)
spot = np.arange(len(shares))
right.bar(spot - 0.2, shares["share_of_customers"], 0.38, color=QUIET, label="customers")
right.bar(spot + 0.2, shares["share_of_sum"], 0.38, color=RULE, label="revenue")
right.set_xticks(spot, list(shares.index))
percent(right, "y")
heading(right, "What the tiers bring")
legend(right)
figure

# %% [markdown]
# What were the weights three months ago that would have told best who buys since? (Non-negative least
# squares on ranks, 95 % interval: learned from what came later, not from what the score is made of.)

# %%
parts = list(plain_settings.dimensions)
learned = learned_weights(values[3][parts], tables[6]["last_period_revenue"].fillna(0).rank())
stated = normalise_weights({n: d.weight for n, d in plain_settings.dimensions.items()})
tabulate_weights([stated, learned]).assign(interval=pd.Series(learned.interval)).round(2)

# %%
weight = {n: d.weight for n, d in plain_settings.dimensions.items()}
moves = find_migrations(
    values[0].assign(tier=steady[0].tier), values[-1].assign(tier=steady[-1].tier), weight, cut, cut
)
migration_matrix(steady[0].tier, steady[-1].tier, cut.names)

# %%
count_causes(moves, cut.names)

# %% [markdown]
# ## Stars
#
# A star stands for a chance: here, to bring more than the median buyer in the next three months. Learned
# from scores six months ago, checked on scores three months ago.

# %%
recent = [t["last_period_revenue"].fillna(0) for t in tables]
line = recent[3][recent[3] > 0].median()
star_settings = read_section(company, "stars", StarSettings)
star = fit_star_scale(figures[0], (recent[3] > line).astype(float), star_settings)
checked = check_star_scale(
    figures[3], (recent[6] > line).astype(float).reindex(figures[3].index), star
)
filled = checked[checked["customers"] > 0]
figure, (axis,) = canvas(
    f"Customers with the most stars were told {filled['predicted'].iloc[-1]:.0%}; "
    f"{filled['observed'].iloc[-1]:.0%} came",
    f"Chance of more than {line:,.0f} {company.info.currency} in three months; scale {star.version}",
    (1,),
)  # fmt: skip
dots(axis, [f"{'★' * int(s)}  {n:,} customers" for s, n in filled["customers"].items()],
     list(filled[["observed", "low", "high"]].itertuples(index=False, name=None)), label="observed")  # fmt: skip
axis.plot(
    filled["predicted"], np.arange(len(filled)), "|", color=RULE, ms=18, mew=2.5, label="predicted"
)
percent(axis, "x")
legend(axis)
figure

# %% [markdown]
# ## Stage, potential and risk, in one row a customer

# %%
life = read_section(company, "lifecycle", LifecycleSettings)
earlier = assign_stages(history, months[-2], life)
now = assign_stages(history, end, life, scores["churn_probability"])
fields = assign_quadrants(today, read_section(company, "quadrant", QuadrantSettings))
count_transitions(earlier["stage"], assign_stages(history, end, life)["stage"])

# %%
rows = build_status_rows(figures[-1], steady[-1], star, now, fields, tier_settings)
rows.head(8)

# %% [markdown]
# ## What to remember
#
# - Weights are a choice; look at who changes when they do.
# - A tier needs a policy, a border that stays, and a reason for every move.
# - A star is a chance that was checked, not a fifth of the list.
# - What a customer thinks of us and what we think of his credit are two things.
