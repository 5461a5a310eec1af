# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 7 · Non-response: satisfaction of all customers
#
# About a third of the invited customers answer, and respondents differ from the others: customers
# with a recent login answer more often, customers with a recent complaint less often. The mean of
# the answers is therefore biased. This notebook models who responds, weights the answers
# accordingly, and shows how reliable the result is.

# %%
# %matplotlib inline
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before LightGBM: waiting threads sleep

import numpy as np
import pandas as pd
from bars import bars, dots, heading
from figures import show
from readable_tables import headed
from start import open_company

from features.feature_table import plan_for
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
    INK,
    MODEL,
    QUIET,
    RULE,
    canvas,
    cut_middle,
    decile_bins,
    legend,
    percent,
)
from models.targets.registry import TARGETS

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")
QUESTION = "satisfaction"  # or "nps"

workspace, company = open_company(COMPANY, upto="features")
manifest = Manifest.read(workspace, company.name)
metric = ANSWER_METRICS[QUESTION][0]

# %% [markdown]
# ## The invitations
#
# The unit is one **invitation**, answered or not, with the features at the time it was sent. Only
# mature invitations count: those sent long enough ago for an answer to have arrived.

# %%
invitations = load_invitations(TARGETS[QUESTION], company, workspace, manifest)
recent, responded = invitations.recent, invitations.answered
print(
    f"{recent.sum():,} invitations from {invitations.starts:%d %B %Y} to {invitations.ends:%d %B %Y},"
)
print(
    f"{(responded & recent).sum():,} answered; {len(recent):,} to train on, "
    f"{invitations.immature:,} not mature yet"
)

groups = {
    "a login in the last 30 days": ("logins_30d", lambda x: x > 0),
    "no login": ("logins_30d", lambda x: ~(x > 0)),
    "a complaint in the last 90 days": ("complaints_90d", lambda x: x > 0),
    "no complaint": ("complaints_90d", lambda x: ~(x > 0)),
    "a late delivery in the last 90 days": ("late_deliveries_90d", lambda x: x > 0),
    "no late delivery": ("late_deliveries_90d", lambda x: ~(x > 0)),
}
rates = {
    name: responded[recent][test(invitations.features[column].to_numpy()[recent])].mean()
    for name, (column, test) in groups.items()
    if column in invitations.features.column_names
} or {"all customers": responded[recent].mean()}
figure, (axis,) = canvas(
    f"{responded[recent].mean():.0%} of the invitations are answered; "
    f"{min(rates.values()):.0%} to {max(rates.values()):.0%} by customer behaviour",
    "Response rate of the invitations of the last year", (1,), (9.6, 3.2),
)  # fmt: skip
bars(axis, list(rates), [rate if np.isfinite(rate) else 0 for rate in rates.values()],
     "response rate", "{:.1%}")  # fmt: skip
percent(axis, "x")
show(figure, "Bars: response rate of the invitations by what the customer had done before")

# %% [markdown]
# ## Response propensity
#
# Boosted trees predict the probability of a response. They are **cross-fitted by customer**: each
# customer is predicted by models that were not trained on them. A weight is the inverse of a
# probability, so small probabilities must be accurate; the left panel checks this.

# %%
model = fit_nonresponse_model(TARGETS[QUESTION], invitations)
propensity = model.recent_propensity
group = decile_bins(propensity, np.ones(len(propensity))).astype(int).clip(0, 9)
expected, observed = (
    np.array([values[group == g].mean() if (group == g).any() else np.nan for g in range(10)])
    for values in (propensity, responded[recent].astype(float))
)
figure, (left, right) = canvas(
    f"Responses are predictable to some extent: AUC {model.propensity.auc:.2f}",
    "Invitations of the last year; out-of-fold propensities", (1, 1),
)  # fmt: skip
top = 1.1 * max(np.nanmax(expected), np.nanmax(observed))
left.plot([0, top], [0, top], color=QUIET, lw=1, ls=(0, (4, 3)))
left.plot(expected, observed, "o-", color=MODEL, ms=7, mew=0)
left.set(xlabel="mean response propensity of the decile", ylabel="response rate", xlim=(0, top),
         ylim=(0, top))  # fmt: skip
percent(left, "xy")
heading(left, "Calibration of the propensity")
bins = np.linspace(0, 1, 41)
for mask, colour, label in (
    (~responded[recent], QUIET, "no answer"),
    (responded[recent], RULE, "answered"),
):
    share = np.full(int(mask.sum()), 1 / mask.sum())
    right.hist(propensity[mask], bins, weights=share, color=colour, alpha=0.25)
    right.hist(propensity[mask], bins, weights=share, histtype="step", color=colour, lw=1.8,
               label=label)  # fmt: skip
right.set(xlabel="response propensity", ylabel="share of the group")
percent(right, "xy")
heading(right, "Overlap of the two groups")
legend(right)
show(
    figure,
    "Left: response rate by propensity, by decile, near the dashed diagonal. Right: histograms of the "
    "propensity of those who answered and of those who did not, which overlap",
)

# %% [markdown]
# ## Weights
#
# Each answer is weighted by the inverse of its response propensity, times the response rate
# (**stabilised**); propensities below a minimum are set to the minimum (**clipped**). Unequal
# weights reduce the *effective sample size*. In return, the weighted respondents resemble all
# invited customers.

# %%
balance = model.covariate_balance()
worst = balance.worst(12)
answers = int((responded & recent).sum())
figure, (left, right) = canvas(
    f"Weighting reduces the largest difference from {abs(balance.before).max():.2f} to "
    f"{abs(balance.after).max():.2f} standard deviations",
    f"{answers:,} answers, effective sample size {model.weights.effective_size:,.0f}; "
    f"{model.weights.clipped} propensities clipped", (1.1, 1), (9.6, 5.4),
)  # fmt: skip
place = np.arange(len(worst))
left.axvline(0, color=QUIET, lw=1)
left.plot([before for _, before, _ in worst], place, "s", color=RULE, label="unweighted")
left.plot([after for *_, after in worst], place, "o", color=MODEL, label="weighted")
meanings = {c.name: c.meaning for c in plan_for(manifest.schema).columns}


def in_words(covariate):
    """The meaning of a covariate: a column, or whether it is missing."""
    name, _, missing = covariate.partition(" ")
    return cut_middle(meanings.get(name, name), 46) + (f", {missing}" if missing else "")


left.set_yticks(place, [in_words(name) for name, *_ in worst])
left.invert_yaxis()
left.set(xlabel="respondents minus all invited, standard deviations")
heading(left, "Covariate balance")
legend(left, "lower right")
weights = model.weights.weight[recent & responded]
right.hist(weights, bins=30, color=MODEL, alpha=0.85)
right.axvline(1, color=QUIET, lw=1)
right.set(xlabel="weight of an answer", ylabel="answers")
heading(right, "Weights")
show(
    figure,
    "Left: the twelve covariates with the largest differences, unweighted (squares) and weighted "
    "(circles). Right: histogram of the weights",
)

# %% [markdown]
# ## Non-response-corrected satisfaction
#
# Two models are combined, and the result is right if **one** of them is: the mean *prediction* for
# all invitations, plus the *weighted mean error* among the respondents (augmented inverse
# probability weighting). The interval accounts for customers with several answers.
#
# For the sample company, the truth is known: the simulation stores the answers of all invited
# customers.

# %%
answered, corrected = (
    estimate_respondents(invitations, metric),
    aipw_mean(model.aipw_inputs(metric)),
)
now = read_snapshot(company, workspace, manifest)
now = now.filter(is_current_customer(company, now))
customers = estimate_all_customers(model, metric, model.outcome.predict(now))
truth_file = workspace.company(company.name) / "truth" / "answers.parquet"
true = None
if truth_file.exists():
    truth = pd.read_parquet(truth_file).query("dimension == 'overall'")
    truth = truth[truth["instrument"] == {"satisfaction": "csat", "nps": "nps"}[QUESTION]]
    truth = truth[truth["sent_at"].between(invitations.starts, invitations.ends)]["answer"]
    level = truth - 1 if QUESTION == "satisfaction" else np.digitize(truth, (7, 9))
    true = float(metric.observed(np.asarray(level, float)).mean())
figure, (axis,) = canvas(
    f"{metric.title}: {answered.value:.1f} among respondents, "
    f"{corrected.value:.1f} corrected for non-response",
    "With 95% intervals" + (f"; dashed: the truth, {true:.1f}" if true is not None else ""),
    (1,), (9.6, 2.8),
)  # fmt: skip
names = ["respondents", "all invited", "all current customers"]
dots(axis, names, [(e.value, e.low, e.high) for e in (answered, corrected, customers)],
     f"{metric.title}, answers of the last year")  # fmt: skip
if true is not None:
    axis.axvline(true, color=RULE, lw=1.6, ls=(0, (4, 3)))
show(
    figure,
    "Three estimates with 95% intervals: respondents, all invited, all current customers"
    + ("; a dashed line marks the truth" if true is not None else ""),
)

# %% [markdown]
# The third line extends the estimate to customers who were never invited. It relies on the outcome
# model and is valid only for customers **similar** to some respondent.

# %%
covered = measure_overlap(model, now, model.propensity.predict(now))
print(f"{covered.share:.1%} of {covered.customers:,} customers are covered; {covered.invited:,} were "
      f"invited in the last year, {covered.answered:,} answered")  # fmt: skip

# %% [markdown]
# ## Sensitivity to unobserved causes
#
# The correction uses what the tables contain. Suppose that, among customers with the same features,
# the odds of responding still differ by an unobserved factor of up to Γ, in the least favourable
# way. The corrected figure then lies within the band. Where the band reaches the uncorrected
# figure, such a factor could explain the whole correction.

# %%
gammas = np.linspace(1, 2, 21)
ranges = [sensitivity_bound(model.aipw_inputs(metric), propensity, gamma) for gamma in gammas]
gamma_needed = smallest_gamma(answered.value, model.aipw_inputs(metric), propensity)
figure, (axis,) = canvas(
    f"An unobserved factor of {gamma_needed:.2f} could explain the correction" if gamma_needed
    else "No unobserved factor below 20 explains the correction",
    "Bounds of the corrected figure if response odds differ by up to Γ among similar customers", (1,),
    (9.6, 3.6),
)  # fmt: skip
axis.fill_between(
    gammas, [r.low for r in ranges], [r.high for r in ranges], color=MODEL, alpha=0.25
)
axis.axhline(corrected.value, color=MODEL, lw=2, label="all invited")
axis.axhline(answered.value, color=INK, lw=2, ls=":", label="respondents")
if true is not None:
    axis.axhline(true, color=RULE, lw=1.6, ls=(0, (4, 3)), label="truth")
axis.set(xlabel="Γ, largest ratio of the response odds of similar customers", ylabel=metric.title)
axis.set_xlim(1, 2)
legend(axis, "lower left")
show(
    figure,
    "A band around the corrected figure that widens from Γ = 1 to Γ = 2, with lines for the figure of "
    "the respondents and of all invited" + (" and the truth" if true is not None else ""),
)

# %% [markdown]
# ## Whom to invite next
#
# An answer is most informative where the prediction is uncertain and where few similar customers
# have responded. Customers are not invited again during their rest period, and segments alternate,
# so each prefix of the list is balanced. `goodwill nonresponse` writes the list:

# %%
for path in write_nonresponse_results(company, workspace, silent_steps()):
    print(path.relative_to(workspace.home))
listed = pd.read_csv(workspace.company(company.name) / "ask_next.csv")
words = {
    "rank": "rank",
    "segment": "segment",
    "chance_of_answer": "probability of an answer",
    "uncertainty": "uncertainty, points",
    "last_asked": "last invitation",
    "why": "reason",
}
headed(listed.set_index("customer_id"), words, "customer").head(10)

# %%
figure, (left, right) = canvas(
    f"{len(listed)} next invitations, mean uncertainty {listed['uncertainty'].mean():.0f} points",
    "Left: one dot for each customer. Right: number of customers", (1.2, 1),
)  # fmt: skip
left.scatter(listed["chance_of_answer"], listed["uncertainty"], c=listed["rank"], cmap="viridis",
             s=22, lw=0)  # fmt: skip
left.locator_params(axis="x", nbins=5)
left.set(xlabel="response propensity", ylabel="uncertainty of the answer, points of 100")
percent(left, "x")
heading(left, "Dark: invited first")
counts = listed["segment"].value_counts()
bars(right, list(counts.index), list(counts.to_numpy()), "customers to invite")
heading(right, "Invitations by segment")
show(
    figure,
    "Left: uncertainty of the answer by response propensity of each listed customer, the first ones "
    "dark. Right: bars, number of invitations by segment",
)

# %% [markdown]
# ## Summary
#
# - The mean of the answers describes the respondents only; report the corrected figure with it.
# - Weights correct differences that the tables contain. The sensitivity bound shows how much
#   depends on assumptions.
# - With two models, either one may be wrong.
# - Inviting the most informative customers next improves the estimate at little cost.

# %% [markdown]
# ## Exercise 1: What if nobody corrected?
#
# Suppose that the response rate of customers with a recent complaint drops to half. Which way does the
# mean of the answers move? Check it: give the answers of these customers half their weight in a mean.
#
# <details>
# <summary>Answer</summary>
#
# ```python
# complained = invitations.features["complaints_90d"].to_numpy() > 0
# mask = recent & responded
# values = np.asarray(metric.observed(invitations.level[mask]))
# halved = np.where(complained[mask], 0.5, 1.0)
# print(f"mean of the answers {values.mean():.1f}; with half as many from customers who complained "
#       f"{np.average(values, weights=halved):.1f}")
# ```
#
# The mean rises although no customer is more satisfied. A falling response rate of dissatisfied
# customers looks like success, unless the figure is corrected.
#
# </details>

# %% [markdown]
# ## Exercise 2: How much precision do the weights cost?
#
# Compute the effective sample size of the answers, (Σw)² / Σw², from `weights`, and compare it with the
# number of answers. By what factor does a confidence interval of a weighted mean become wider?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# effective = weights.sum() ** 2 / (weights**2).sum()
# print(f"{len(weights):,} answers count like {effective:,.0f} equally weighted ones; "
#       f"intervals become {np.sqrt(len(weights) / effective):.2f} times as wide")
# ```
#
# Precision is exchanged for less bias. Clipping small propensities limits the price, and leaves some
# of the bias in.
#
# </details>
