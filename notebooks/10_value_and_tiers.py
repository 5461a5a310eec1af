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
# How valuable is a customer, and what is their status? This notebook goes from value metrics to a
# **value score**, compares weights, assigns stable **tiers**, fits calibrated **star ratings**, and
# shows the cause of each migration.

# %%
# %matplotlib inline
import os
from itertools import pairwise

import numpy as np
import pandas as pd
from bars import along_time, bars, dots, heading
from figures import show
from readable_tables import headed, rounded
from start import open_company

from features.customer_definition import CustomerDefinition
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
from models.plots.style import ACTUAL, INK, MODEL, QUIET, RULE, canvas, legend, percent

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = open_company(COMPANY, upto="score")
history = workspace.history(company.name)
scores = pd.read_parquet(workspace.scores(company.name)).set_index("customer_id")
end = scores["as_of"].max().to_pydatetime()

# %% [markdown]
# ## From metrics to a score
#
# The table of today's metrics combines customer accounts, model predictions and the risk that the
# next payment is overdue. A metric becomes points by its rank among the customers on a reference
# day.

# %%
settings = read_section(company, "value", ValueSettings)
today = compute_value_metrics(history, end, scores)
scale = ValueScale.fit(today, settings)
currency = company.info.currency
dims = score_dimensions(today, scale, settings)
sets = compute_weight_sets(dims, settings)
value = compute_value_score(today, scale, settings, sets[settings.weights])
units = {"money": currency, "share": "share, 0 to 1"}
pd.DataFrame(
    {
        "unit": [units.get(VALUE_METRICS[m].unit, VALUE_METRICS[m].unit) for m in scale.reference],
        "median": [today[m].median() for m in scale.reference],
        "share of customers with a value": [today[m].notna().mean() for m in scale.reference],
    },
    index=[VALUE_METRICS[m].description for m in scale.reference],
).rename_axis("metric")

# %%
names = list(settings.dimensions)
comparison = compare_weights(list(sets.values()), value[names])
table = tabulate_weights(list(sets.values()))
worst = comparison.loc[comparison["top_changed"].idxmax()]
figure, (left, right) = canvas(
    f"{worst['between']}: {worst['top_changed']:.0%} of the best fifth differ",
    "Weights of the dimensions by method, and effect of the choice", (1.2, 1), (9.6, 3.6),
)  # fmt: skip
spot = np.arange(len(names))
looks = zip((MODEL, RULE, ACTUAL, INK, QUIET), ("", "//", "..", "", "xx"), strict=True)
for i, (method, (colour, hatch)) in enumerate(zip(sets, looks, strict=False)):
    left.bar(spot + 0.2 * i - 0.3, table[method], 0.19, color=colour, hatch=hatch, label=method,
             edgecolor="white")  # fmt: skip
left.set_xticks(spot, [n.replace("_", "\n") for n in names], fontsize=8)
left.set_ylabel("weight of the dimension")
percent(left, "y")
left.set_ylim(0, 1.4 * table[list(sets)].max().max())
heading(left, "Weights")
legend(left)
bars(right, list(comparison["between"]), list(comparison["top_changed"]), "share of the best fifth",
     "{:.0%}")  # fmt: skip
percent(right, "x")
heading(right, "Differs between two methods")
show(
    figure,
    f"Left: bars, weight of each dimension with the methods {', '.join(sets)}. Right: bars, share of "
    "the best fifth of the customers that differs between two methods",
)

# %% [markdown]
# ## Score with interval, and grades

# %%
fuzzy = assign_fuzzy_grades(value, sets[settings.weights], settings.grades)
counts = fuzzy.grade.value_counts().reindex(settings.grades.names).fillna(0)
width = (value["value_score_high"] - value["value_score_low"]).median()
figure, (left, right) = canvas(
    f"The median width of the score's interval is {width:.0f} points",
    f"{fuzzy.unclear.mean():.0%} of the customers are between two grades", (1, 1),
)  # fmt: skip
left.hist(value["value_score"].dropna(), bins=40, color=MODEL, alpha=0.85)
left.set(xlabel="value score, 0 to 100", ylabel="customers")
heading(left, "Value score")
bars(right, settings.grades.names, list(counts), "customers")
heading(right, "Customers by fuzzy grade")
show(
    figure,
    "Left: histogram of the value score. Right: bars, number of customers by grade",
)

# %% [markdown]
# ## Best and worst customers
#
# The analysis lists the best and the worst tenth of the customers by value score, compares all
# traits, and selects up to five that differ most and are not redundant. Metrics that are part of
# the score are left out, and so are traits that duplicate them (such as days late and the risk of
# an overdue payment).

# %%
crm = pd.read_parquet(history / "customers.parquet").sort_values("valid_from")
crm = (
    crm.groupby("customer_id").last().drop(columns=["valid_from", "account_owner"], errors="ignore")
)
traits = today[["tenure_days", "churn_probability", "satisfaction_answer"]]
contrast = contrast_traits(value["value_score"], traits.join(crm), own=list(scale.reference))
shown = contrast.traits.head(8)
figure, (axis,) = canvas(
    f"Largest difference: {contrast.selected[0].replace('_', ' ') if contrast.selected else 'none'}",
    "Effect between −1 and 1 with its 95% interval; best minus worst tenth", (1,),
)  # fmt: skip
traits_in_words = [str(n).replace("_", " ") for n in shown.index]
dots(axis, traits_in_words, list(shown[["effect", "low", "high"]].itertuples(index=False, name=None)),
     "effect; above 0: higher or more frequent among the best")  # fmt: skip
axis.axvline(0, color=QUIET, lw=1)
show(figure, "One row for each trait: effect with its 95% interval")

# %%
words = {
    "effect": "effect",
    "low": "interval from",
    "high": "to",
    "best": "best tenth",
    "worst": "worst tenth",
    "known": "share known",
}


def plain(text):
    """A number in a text rounded; other texts unchanged."""
    try:
        return rounded(float(text))
    except ValueError:
        return text


sides = {side: shown[side].map(plain) for side in ("best", "worst")}
headed(shown.assign(**sides).set_axis(traits_in_words), words, "trait")

# %% [markdown]
# ## Stable tiers
#
# Seven dates, one month apart, with metrics available on each of them. Thresholds are set once. A
# customer changes tier when the mean of two consecutive scores is clearly beyond a threshold, or one
# score is twice as far beyond (hysteresis).

# %%
history_settings = ValueSettings(
    dimensions={
        "purchasing_power": Dimension(weight=0.4, measures={"revenue": 1.0}),
        "loyalty": Dimension(weight=0.3, measures={"active_months": 0.5, "days_since_order": 0.5}),
        "contribution": Dimension(weight=0.3, measures={"margin": 0.6, "return_share": 0.4}),
    }
)
months = [end - pd.DateOffset(months=m) for m in range(6, -1, -1)]
tables = [compute_value_metrics(history, month) for month in months]
reference = ValueScale.fit(tables[0], history_settings)
values = [compute_value_score(t, reference, history_settings) for t in tables]
figures = [v["value_score"] for v in values]

tier_settings = read_section(company, "tiers", TierSettings)
cut = fit_thresholds(figures[0], tier_settings)
stable, by_quantiles = [assign_first_tiers(figures[0], cut)], [classify_tiers(figures[0], cut)]
for before, after in pairwise(figures):
    stable.append(update_tiers(stable[-1], after, estimate_half_width(before, after), cut))
    by_quantiles.append(classify_tiers(after, fit_thresholds(after, tier_settings)))
changed = [changed_share(a.tier, b.tier) for a, b in pairwise(stable)]
changed_by_quantiles = [changed_share(a, b) for a, b in pairwise(by_quantiles)]
figure, (left, right) = canvas(
    f"{np.mean(changed):.1%} of the customers change tier per month; "
    f"with quantile thresholds, {np.mean(changed_by_quantiles):.1%}",
    "Customers of the sample company do change; with noise alone, fewer than 1% change tier", (1, 1),
)  # fmt: skip
left.plot(months[1:], changed_by_quantiles, "s--", color=QUIET, label="quantiles, fitted again")
left.plot(months[1:], changed, "o-", color=MODEL, label="fixed thresholds with hysteresis")
left.set(
    ylim=(0, 1.3 * max(*changed, *changed_by_quantiles)), ylabel="share of customers per month"
)
along_time(left)
percent(left, "y")
heading(left, "Share that changes tier")
legend(left, "upper right")
shares = summarise_tiers(tables[-1]["revenue"], stable[-1].tier, cut)
spot = np.arange(len(shares))
right.bar(spot - 0.2, shares["share_of_customers"], 0.38, color=QUIET, label="customers")
right.bar(spot + 0.2, shares["share_of_sum"], 0.38, color=RULE, label="revenue")
right.set_xticks(spot, list(shares.index))
right.set_ylabel("share of the total, a year")
percent(right, "y")
heading(right, "Customers and revenue by tier")
legend(right)
show(
    figure,
    "Left: lines, share of customers that change tier each month, with quantiles fitted again and with "
    "fixed thresholds and hysteresis. Right: bars, share of customers and of revenue by tier",
)

# %% [markdown]
# Which weights of three months ago would have predicted later spending best? (Non-negative least
# squares on ranks, with 95% intervals; the outcome is later than all metrics in the score.)

# %%
parts = list(history_settings.dimensions)
learned = learned_weights(values[3][parts], tables[6]["last_period_revenue"].fillna(0).rank())
given = normalise_weights({n: d.weight for n, d in history_settings.dimensions.items()})
weights_table = tabulate_weights([given, learned])
weights_table["interval"] = {
    n: f"{low:.2f} to {high:.2f}" for n, (low, high) in learned.interval.items()
}
weights_table.index = [n.replace("_", " ") for n in weights_table.index]
words = {"given": "given weight", "learned": "learned weight", "interval": "95% interval"}
headed(weights_table, words, "dimension")

# %%
weight = {n: d.weight for n, d in history_settings.dimensions.items()}
moves = find_migrations(
    values[0].assign(tier=stable[0].tier), values[-1].assign(tier=stable[-1].tier), weight, cut, cut
)
matrix = migration_matrix(stable[0].tier, stable[-1].tier, cut.names)
matrix.rename_axis(index="tier six months ago", columns="tier now")

# %%
causes = count_causes(moves, cut.names)
causes.index = [str(n).replace("_", " ") for n in causes.index]
headed(causes, {"up": "moved up", "down": "moved down", "other": "other"}, "cause, customers")

# %% [markdown]
# ## Star ratings
#
# A star rating stands for a probability: here, of spending more than the median buyer in the next
# three months. The scale is fitted to the scores of six months ago and checked on those of three
# months ago.

# %%
recent = [t["last_period_revenue"].fillna(0) for t in tables]
line = recent[3][recent[3] > 0].median()
star_settings = read_section(company, "stars", StarSettings)
star_scale = fit_star_scale(figures[0], (recent[3] > line).astype(float), star_settings)
checked = check_star_scale(
    figures[3], (recent[6] > line).astype(float).reindex(figures[3].index), star_scale
)
filled = checked[checked["customers"] > 0]
figure, (axis,) = canvas(
    f"Most stars: predicted {filled['predicted'].iloc[-1]:.0%}, "
    f"observed {filled['observed'].iloc[-1]:.0%}",
    f"In the three months after the score; scale {star_scale.version}",
    (1,),
)  # fmt: skip
dots(axis, [f"{'★' * int(s)}  {n:,} customers" for s, n in filled["customers"].items()],
     list(filled[["observed", "low", "high"]].itertuples(index=False, name=None)),
     f"probability of more than {line:,.0f} {currency}", label="observed")  # fmt: skip
axis.plot(
    filled["predicted"], np.arange(len(filled)), "|", color=RULE, ms=18, mew=2.5, label="predicted"
)
percent(axis, "x")
legend(axis)
show(
    figure,
    "One row for each number of stars: observed share with its 95% interval, and a mark at the "
    "predicted probability",
)

# %% [markdown]
# ## Customer status: stage, potential and risk

# %%
stage_settings = read_section(company, "lifecycle", LifecycleSettings)
definition = CustomerDefinition.of(company)
earlier = assign_stages(history, months[-2], stage_settings, definition)
now = assign_stages(history, end, stage_settings, definition, scores["churn_probability"])
quadrants = assign_quadrants(today, read_section(company, "quadrant", QuadrantSettings))
stages_now = assign_stages(history, end, stage_settings, definition)["stage"]
moved = count_transitions(earlier["stage"], stages_now).rename(
    index=lambda stage: str(stage).replace("_", " "),
    columns=lambda stage: str(stage).replace("_", " "),
)
moved.rename_axis(index="stage a month ago", columns="stage now")

# %%
rows = build_status_rows(figures[-1], stable[-1], star_scale, now, quadrants, tier_settings)
words = {
    "tier": "tier",
    "stars": "stars",
    "stage": "stage",
    "stage_cause": "reason of the stage",
    "quadrant": "potential and risk",
    "service_level": "service level",
    "first_reply_hours": "first reply within, hours",
    "visits_per_year": "visits a year",
}
headed(rows.replace({"stage": {"at_risk": "at risk"}}), words, "customer").head(8)

# %% [markdown]
# ## Summary
#
# - Weights are a choice: check which customers change rank with them.
# - A tier needs a service policy, a stable threshold and a cause for each migration.
# - A star rating is a checked probability, not a fifth of the list.
# - A customer's opinion of the company and their creditworthiness are two different things.

# %% [markdown]
# ## Exercise 1: Whose grade depends on the weights?
#
# Compute the value score with the weights of another method in `sets` and compare the ranks. How many
# customers of the best tenth with the given weights leave the best tenth?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# other = next(name for name in sets if name != settings.weights)
# again = compute_value_score(today, scale, settings, sets[other])["value_score"]
# best = value["value_score"].rank(pct=True) > 0.9
# still = again.rank(pct=True) > 0.9
# print(f"{settings.weights} to {other}: {(best & ~still).sum()} of {best.sum()} customers leave the "
#       f"best tenth; rank correlation {value['value_score'].corr(again, method='spearman'):.2f}")
# ```
#
# A status that depends on the method of weighting should not decide on a customer's conditions alone.
# Most customers keep their rank; those at the border need a look.
#
# </details>

# %% [markdown]
# ## Exercise 2: What does hysteresis cost?
#
# Hysteresis holds tiers stable, so a tier may lag behind the score. What share of the customers would be
# in another tier today if only today's score counted with the same thresholds? In which tiers are they?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# at_once = classify_tiers(figures[-1], cut)
# held = stable[-1].tier
# differs = held.notna() & at_once.notna() & (held.astype(str) != at_once.astype(str))
# print(f"{differs.mean():.1%} of the customers are held in another tier than their score of today")
# pd.crosstab(held[differs], at_once[differs]).rename_axis(
#     index="tier with hysteresis", columns="tier by today's score"
# )
# ```
#
# These customers are near a threshold. Some of the differences would be reversed a month later; the
# price of calm tiers is that real changes are recognised a month late.
#
# </details>
