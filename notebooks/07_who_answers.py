# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 7 · Who answers: satisfaction for everybody
#
# A third of those who are asked answer, and not any third: who just logged in answers, who has just
# complained does not. The mean of the answers is the mean of the *willing*. This notebook learns who
# answers, lets those who do stand for those who do not, and says how far the result can be trusted.

# %%
# %matplotlib inline
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before LightGBM: waiting threads sleep

import numpy as np
import pandas as pd
from bars import bars, dots, heading
from start import begin

from features.history_store import Manifest
from features.progress import silent_steps
from models.nonresponse.aipw import aipw_mean
from models.nonresponse.estimate import ANSWER_METRICS, estimate_respondents, fit_nonresponse_model
from models.nonresponse.invitations import load_invitations
from models.nonresponse.nonresponse_results import write_nonresponse_results
from models.nonresponse.overlap import estimate_all_customers, measure_overlap
from models.nonresponse.sampling_frame import is_current_customer, read_snapshot
from models.nonresponse.sensitivity import sensitivity_bound, smallest_gamma
from models.plots.style import (
    ACTUAL,
    CASE,
    MODEL,
    QUIET,
    RULE,
    canvas,
    decile_bins,
    legend,
    percent,
)
from models.targets.registry import TARGETS

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")
QUESTION = "satisfaction"  # or "nps"

workspace, company = begin(COMPANY, upto="features")
manifest = Manifest.read(workspace, company.name)
figure_of = ANSWER_METRICS[QUESTION][0]

# %% [markdown]
# ## Everybody who was asked
#
# The unit is one **invitation**, answered or not, with the features of the moment it was sent. Only ripe
# ones count: those whose answer, if there is one, has had its time to come.

# %%
asked = load_invitations(TARGETS[QUESTION], company, workspace, manifest)
recent, heard = asked.recent, asked.answered
print(f"{recent.sum():,} invitations from {asked.starts:%d %B %Y} to {asked.ends:%d %B %Y},")
print(
    f"{(heard & recent).sum():,} answered; {len(recent):,} to learn from, {asked.immature:,} not ripe"
)

looks = {
    "a login in the last 30 days": ("logins_30d", lambda x: x > 0),
    "no login": ("logins_30d", lambda x: ~(x > 0)),
    "a complaint in the last 90 days": ("complaints_90d", lambda x: x > 0),
    "no complaint": ("complaints_90d", lambda x: ~(x > 0)),
    "a late delivery in the last 90 days": ("late_deliveries_90d", lambda x: x > 0),
    "no late delivery": ("late_deliveries_90d", lambda x: ~(x > 0)),
}
rates = {
    name: heard[recent][test(asked.features[column].to_numpy()[recent])].mean()
    for name, (column, test) in looks.items()
    if column in asked.features.column_names
} or {"everybody": heard[recent].mean()}
figure, (axis,) = canvas(
    f"{heard[recent].mean():.0%} of the invitations are answered: "
    f"{min(rates.values()):.0%} to {max(rates.values()):.0%} of those who look like this",
    "Share of the last year's invitations answered", (1,), (9.6, 3.2),
)  # fmt: skip
bars(axis, list(rates), [rate if np.isfinite(rate) else 0 for rate in rates.values()], "{:.1%}")
percent(axis, "x")
figure

# %% [markdown]
# ## The propensity
#
# Boosted trees learn the chance of an answer. They are **cross-fitted by customer**: whoever is
# predicted was not learnt from. A weight is the inverse of a probability, so its level must be right
# where it is small; that is what the left picture checks.

# %%
made = fit_nonresponse_model(TARGETS[QUESTION], asked)
chance = made.recent_propensity
group = decile_bins(chance, np.ones(len(chance))).astype(int).clip(0, 9)
expected, happened = (
    np.array([values[group == g].mean() if (group == g).any() else np.nan for g in range(10)])
    for values in (chance, heard[recent].astype(float))
)
figure, (left, right) = canvas(
    f"An answer can be foreseen, a little: AUC {made.propensity.auc:.2f}",
    "Invitations of the last year; chances from models that have not seen the customer", (1, 1),
)  # fmt: skip
top = 1.1 * max(np.nanmax(expected), np.nanmax(happened))
left.plot([0, top], [0, top], color=QUIET, lw=1, ls=(0, (4, 3)))
left.plot(expected, happened, "o-", color=MODEL, ms=7, mew=0)
left.set(xlabel="chance of an answer, by tenths", ylabel="share that answered", xlim=(0, top),
         ylim=(0, top))  # fmt: skip
percent(left, "xy")
heading(left, "Is the chance right?")
bins = np.linspace(0, 1, 41)
for mask, colour, label in ((~heard[recent], QUIET, "silent"), (heard[recent], ACTUAL, "answered")):
    right.hist(chance[mask], bins, density=True, color=colour, alpha=0.55, label=label)
right.set(xlabel="chance of an answer", yticks=[])
percent(right, "x")
heading(right, "The two overlap: somebody can stand for everybody")
legend(right)
figure

# %% [markdown]
# ## The weights
#
# Each answer weighs the inverse of its chance, times the share that answers (**stabilised**); chances
# below a floor count as the floor (**clipped**). Weighted answers are worth fewer than they are: the
# *effective* number says how many. In return those who answered come to look like all who were asked.

# %%
balanced = made.covariate_balance()
worst = balanced.worst(12)
answers = int((heard & recent).sum())
figure, (left, right) = canvas(
    f"The largest difference falls from {abs(balanced.before).max():.2f} to "
    f"{abs(balanced.after).max():.2f} standard deviations",
    f"{answers:,} answers, worth {made.weights.effective_size:,.0f} once weighted; "
    f"{made.weights.clipped} chances clipped", (1.5, 1),
)  # fmt: skip
place = np.arange(len(worst))
left.axvline(0, color=QUIET, lw=1)
left.plot([before for _, before, _ in worst], place, "o", color=CASE, label="as they are")
left.plot([after for *_, after in worst], place, "o", color=ACTUAL, label="weighted")
left.set_yticks(place, [name for name, *_ in worst])
left.invert_yaxis()
left.set(xlabel="those who answered less all asked, standard deviations")
heading(left, "In what those who answered differ")
legend(left)
weights = made.weights.weight[recent & heard]
right.hist(weights, bins=30, color=MODEL, alpha=0.85)
right.axvline(1, color=QUIET, lw=1)
right.set(xlabel="weight of an answer", ylabel="answers")
heading(right, "How much each must stand for")
figure

# %% [markdown]
# ## What everybody would have said
#
# Two models, and it is enough if **one** of them is right: the mean *prediction* for all who were asked,
# corrected by the *weighted errors* among those who answered (augmented inverse probability weighting).
# The interval counts customers, not answers: two answers of one customer are alike.
#
# On the sample company the truth is known, for the simulator remembers what the silent would have said.

# %%
answered, everyone = estimate_respondents(asked, figure_of), aipw_mean(made.aipw_inputs(figure_of))
now = read_snapshot(company, workspace, manifest)
now = now.filter(is_current_customer(company, now))
customers = estimate_all_customers(made, figure_of, made.outcome.predict(now))
truth_file = workspace.company(company.name) / "truth" / "answers.parquet"
true = None
if truth_file.exists():
    truth = pd.read_parquet(truth_file).query("dimension == 'overall'")
    truth = truth[truth["instrument"] == {"satisfaction": "csat", "nps": "nps"}[QUESTION]]
    truth = truth[truth["sent_at"].between(asked.starts, asked.ends)]["answer"]
    level = truth - 1 if QUESTION == "satisfaction" else np.digitize(truth, (7, 9))
    true = float(figure_of.observed(np.asarray(level, float)).mean())
figure, (axis,) = canvas(
    f"{figure_of.title}: {answered.value:.1f} among those who answered, "
    f"{everyone.value:.1f} among all who were asked",
    "With 95 % intervals" + (f"; dashed: the truth, {true:.1f}" if true is not None else ""),
    (1,), (9.6, 2.8),
)  # fmt: skip
names = ["those who answered", "everybody asked", "customers of today"]
dots(axis, names, [(e.value, e.low, e.high) for e in (answered, everyone, customers)])
if true is not None:
    axis.axvline(true, color=RULE, lw=1.6, ls=(0, (4, 3)))
figure

# %% [markdown]
# The third line goes further than the second: to customers nobody asked. It rests on the outcome model,
# and it can only speak for customers **like** somebody who answered.

# %%
covered = measure_overlap(made, now, made.propensity.predict(now))
print(f"{covered.share:.1%} of {covered.customers:,} customers are covered; {covered.invited:,} were "
      f"asked within the year, {covered.answered:,} answered")  # fmt: skip

# %% [markdown]
# ## What no table shows
#
# The correction knows what the tables show. Suppose that among customers who look alike, the odds of
# answering still differ by a hidden factor Γ, in whatever way does most harm. Then the figure lies
# anywhere in the band. Where the band meets the naive figure, hidden dependence could explain all of the
# correction away.

# %%
gammas = np.linspace(1, 2, 21)
ranges = [sensitivity_bound(made.aipw_inputs(figure_of), chance, gamma) for gamma in gammas]
meets = smallest_gamma(answered.value, made.aipw_inputs(figure_of), chance)
figure, (axis,) = canvas(
    f"Hidden odds of {meets:.2f} would undo the correction" if meets
    else "No hidden odds below 20 undo the correction",
    "Range of everybody's figure if odds of answering differ by Γ among customers alike", (1,),
    (9.6, 3.6),
)  # fmt: skip
axis.fill_between(
    gammas, [r.low for r in ranges], [r.high for r in ranges], color=MODEL, alpha=0.25
)
axis.axhline(everyone.value, color=MODEL, lw=2, label="everybody asked")
axis.axhline(answered.value, color=CASE, lw=2, label="those who answered")
if true is not None:
    axis.axhline(true, color=RULE, lw=1.6, ls=(0, (4, 3)), label="truth")
axis.set(xlabel="Γ", ylabel=figure_of.title, xlim=(1, 2))
legend(axis, "upper left")
figure

# %% [markdown]
# ## Whom to ask next
#
# An answer tells most where the prediction is unsure and where few of a customer's likes have spoken.
# Nobody is asked again before his rest is over, and segments take turns, so that any beginning of the
# list is fair. `goodwill population` writes the list; here it is.

# %%
for path in write_nonresponse_results(company, workspace, silent_steps()):
    print(path.relative_to(workspace.home))
listed = pd.read_csv(workspace.company(company.name) / "ask_next.csv")
listed.head(10)

# %%
figure, (left, right) = canvas(
    f"{len(listed)} customers, {listed['uncertainty'].mean():.0f} points of uncertainty each",
    "The list of whom to ask next", (1.2, 1),
)  # fmt: skip
left.scatter(listed["chance_of_answer"], listed["uncertainty"], c=listed["rank"], cmap="viridis",
             s=22, lw=0)  # fmt: skip
left.set(xlabel="chance of an answer", ylabel="uncertainty of the answer, points")
percent(left, "x")
heading(left, "Dark: asked first")
counts = listed["segment"].value_counts()
bars(right, list(counts.index), list(counts.to_numpy()))
heading(right, "Fair across segments")
figure

# %% [markdown]
# ## What to remember
#
# - The mean of the answers is the mean of the willing; say so beside it.
# - Weights mend what the tables show. The bound says how much is left to belief.
# - Two models are better than one: either may be wrong.
# - The cheapest correction is to ask the right people next.
