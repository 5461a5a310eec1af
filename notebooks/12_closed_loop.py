# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 12 · Closed loop: effects of actions, and whom to treat next
#
# Plan, do, check, act. Targets are in the company's TOML file, actions in the events table, and the
# check is a measurement that may find no effect. The sample company has run no campaign, so this
# notebook simulates one: customers and spending are from the history, the effect of a call is
# simulated, and each estimate can be compared with the truth.

# %%
# %matplotlib inline
import os

import numpy as np
import pandas as pd
from bars import dots, heading
from figures import show
from readable_tables import headed
from start import open_company, open_tables

from insight.closed_loop.closed_loop_settings import IndicatorTarget
from insight.closed_loop.holdout_effect import estimate_holdout_effect
from insight.closed_loop.matching import estimate_matched_effect
from insight.closed_loop.pdca import build_pdca_cycles
from insight.closed_loop.target_status import CheckedTarget, Measurement, check_targets
from insight.closed_loop.uplift import measure_qini, plan_treatments, score_uplift
from insight.complaints.confounders import encode_confounders
from insight.complaints.intake import read_complaints
from insight.evaluation.complaint_indicators import measure_complaints
from models.plots.style import INK, MODEL, QUIET, RULE, canvas, legend, money, percent

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = open_company(COMPANY, upto="data")
currency = company.info.currency

# %% [markdown]
# ## Plan: targets
#
# In the TOML file: `[insight.loop.targets.days_to_solution]` with `target = 4` and
# `better = "lower"`. A target is reached or missed when the whole interval of its indicator lies on that
# side.

# %%
targets = {
    "hours_to_reply": IndicatorTarget(target=24, better="lower", owner="service desk"),
    "days_to_solution": IndicatorTarget(target=4, better="lower", until="2026-12-31"),
    "reopen_rate": IndicatorTarget(target=0.11, better="lower"),
}
measured = measure_complaints(read_complaints(company, workspace))
checked = check_targets(targets, measured)
known = [c for c in checked if isinstance(c, CheckedTarget)]
figure, axes = canvas(
    f"{sum(c.verdict == 'reached' for c in known)} of {len(targets)} targets reached",
    "Indicator with its 95% interval; dashed: target", (1,) * len(known), (9.6, 2.5),
)  # fmt: skip
units = {
    "hours_to_reply": "hours, median",
    "days_to_solution": "days, median",
    "reopen_rate": "share of the solved complaints",
}
for axis, item in zip(axes, known, strict=True):
    m = item.measured
    dots(axis, [item.verdict], [(m.value, m.low, m.high)], units[item.name])
    axis.axvline(item.target.target, color=RULE, ls=(0, (4, 3)))
    axis.set_xlim(0, 1.3 * max(m.high, item.target.target))
    axis.locator_params(axis="x", nbins=4)
    heading(axis, item.name.replace("_", " ").capitalize())
show(
    figure,
    "One panel for each indicator: value with its 95% interval, and a dashed line at the target. "
    + ", ".join(f"{item.name.replace('_', ' ')}: {item.verdict}" for item in known),
)

# %% [markdown]
# ## Do: a call to a random half
#
# Each customer's spending in the quarters before and after a start date comes from the history. In
# the simulation, a call adds half of a usual quarter's spending for small and medium buyers,
# nothing for large customers, and slightly reduces the spending of customers without orders.

# %%
con = open_tables(workspace, company)
rows = (
    con.sql("""
    with start as (select max(occurred_at) - interval 91 day as moment from events)
    select customer_id,
           coalesce(sum(amount) filter (kind = 'order' and occurred_at < moment), 0) as before,
           count(*) filter (kind = 'order' and occurred_at < moment) as orders,
           count(*) filter (kind = 'login' and occurred_at < moment) as logins,
           coalesce(sum(amount) filter (kind = 'order' and occurred_at >= moment), 0) as after
    from events, start where occurred_at >= moment - interval 182 day
    group by customer_id order by customer_id
""")
    .to_arrow_table()
    .to_pandas()
)
rng = np.random.default_rng(12)
times = max(1, 6000 // len(rows))  # repeat the rows of a small company, to have enough
rows = rows.loc[rows.index.repeat(times)].reset_index(drop=True)
before = rows["before"].to_numpy()
small = (before > 0) & (before < np.quantile(before, 0.8))
mean_spend = before[small].mean()
gain = np.where(small, 0.5 * mean_spend, np.where(before == 0, -0.1 * mean_spend, 0.0))
known_before = encode_confounders(
    rows[["before", "orders", "logins"]].assign(
        buys=(before > 0).astype(float), small=small.astype(float)
    )
)
treated = rng.random(len(rows)) < 0.5
noise = rng.normal(0, 0.3 * mean_spend, len(rows))
outcome = np.minimum(rows["after"], 3 * mean_spend).to_numpy() + gain * treated + noise
print(f"{treated.sum():,} called, {(~treated).sum():,} held out")
print(f"true effect {gain.mean():,.0f} {currency} per customer")

# %% [markdown]
# ## Check: effect of the call
#
# The unadjusted difference is unbiased but imprecise, because customers vary more than a call
# changes. Adjusting for covariates known before the action (CUPED) removes part of the variance.
# Without a hold-out group, the effect is not identifiable, and the function says so instead of
# returning a number.

# %%
unadjusted = estimate_holdout_effect(outcome, treated, known_before[:, :0])
adjusted = estimate_holdout_effect(outcome, treated, known_before)
no_holdout = estimate_holdout_effect(outcome, np.ones_like(treated), known_before)
figure, (axis,) = canvas(
    f"The call adds {adjusted.effect.value:,.0f} {currency} per customer ({adjusted.effect.low:,.0f} to "
    f"{adjusted.effect.high:,.0f})",
    f"Dashed: truth. Covariates explain {adjusted.sharper:.0%} of the variance", (1,), (9.6, 2.5),
)  # fmt: skip
measures = {"unadjusted difference": unadjusted.effect, "CUPED": adjusted.effect}
QUARTER = f"effect of the call on spending in the quarter after it, {currency} per customer"
dots(axis, list(measures), [(e.value, e.low, e.high) for e in measures.values()], QUARTER)
axis.axvline(gain.mean(), color=RULE, ls=(0, (4, 3)))
axis.axvline(0, color=QUIET, lw=1)
money(axis, "x")
print(f"all customers called: {no_holdout.verdict}. {no_holdout.note}")
show(figure, "Two estimates with 95% intervals: unadjusted and with CUPED; dashed: the true effect")

# %% [markdown]
# ## Without randomisation
#
# Most campaigns are not randomised: sales staff call the customers they know, who are the active
# ones. The unadjusted difference then mostly reflects who was called. Comparing similar customers
# corrects for observed differences, and only for those.

# %%
affinity = 1.2 * known_before[:, 0] + 0.6 * known_before[:, 2]
called = rng.random(len(rows)) < 1 / (1 + np.exp(-affinity))
spent = np.minimum(rows["after"], 3 * mean_spend).to_numpy() + gain * called + noise
matched = estimate_matched_effect(spent, called, known_before)
as_randomised = estimate_holdout_effect(spent, called, known_before)
truth = gain[called].mean()
estimates = {"unadjusted difference": (matched.naive,) * 3}
if matched.effect:
    estimates["similar customers"] = (matched.effect.value, matched.effect.low, matched.effect.high)
figure, (axis,) = canvas(
    f"Unadjusted difference {matched.naive:,.0f} {currency}, truth {truth:,.0f}",
    "Effect on the called customers; dashed: truth", (1,), (9.6, 2.5),
)  # fmt: skip
dots(axis, list(estimates), list(estimates.values()), QUARTER)
axis.axvline(truth, color=RULE, ls=(0, (4, 3)))
money(axis, "x")
print(f"analysed as if randomised: {as_randomised.verdict}. {as_randomised.note}")
show(
    figure,
    "The unadjusted difference, and the estimate among similar customers with its 95% interval; "
    "dashed: the true effect",
)

# %% [markdown]
# ## Whose behaviour changes?
#
# The effect differs between customers. An uplift score predicts the effect of the call for *each*
# customer. The Qini curve evaluates it: call the best 10%, 20% and so on, and measure the gain.

# %%
score = score_uplift(outcome, treated, known_before)
learned, best = measure_qini(score, outcome, treated), measure_qini(gain, outcome, treated)
figure, (left, right) = canvas(
    "The score finds the customers who react" if learned.sorts else "The score is no better than random",
    f"Qini coefficient {learned.coefficient.value:,.1f} {currency} per customer "
    f"({learned.coefficient.low:,.1f} to {learned.coefficient.high:,.1f})", (1.3, 1), (9.6, 3.6),
)  # fmt: skip
left.plot(best.shares, best.gains, color=RULE, label="truth", lw=1.4)
left.plot(learned.shares, learned.gains, color=MODEL, label="score", lw=2.2)
left.plot([0, 1], [0, learned.gains[-1]], color=QUIET, ls=(0, (4, 3)), label="random")
percent(left, "x")
left.set(xlabel="share called, best first", ylabel=f"{currency} gained per customer")
legend(left, "lower right")
heading(left, "Qini curve")
tenth = pd.qcut(score, 10, labels=False, duplicates="drop")
by_tenth = pd.DataFrame({"score": score, "truth": gain}).groupby(tenth).mean()
right.plot(by_tenth["score"], by_tenth["truth"], "o", color=MODEL)
ends = [by_tenth["score"].min(), by_tenth["score"].max()]
right.plot(ends, ends, color=QUIET, ls=(0, (4, 3)))
right.locator_params(axis="x", nbins=5)
right.set(xlabel=f"uplift score, {currency}", ylabel=f"true effect, {currency}")
heading(right, "By decile of the score")
show(
    figure,
    "Left: Qini curves of the score, of the truth and of calling at random, gain per customer by share "
    "called. Right: one dot for each decile, mean true effect by mean score",
)

# %% [markdown]
# ## Act: whom to call with a limited budget
#
# Calls cost money; customers with a negative predicted effect are never on the list.

# %%
cost = np.full(len(score), 0.02 * mean_spend)
budgets = np.linspace(0.05, 1, 20) * cost.sum()
plans = [plan_treatments(score, cost, float(b)) for b in budgets]
true_gain = [gain[p.chosen].sum() - p.cost for p in plans]
shuffled = rng.permutation(len(score))
random_gain = [gain[shuffled[: len(p.chosen)]].sum() - p.cost for p in plans]
top = int(np.argmax(true_gain))
figure, (axis,) = canvas(
    f"Calling {len(plans[top].chosen):,} of {len(score):,} customers gains most",
    "True gain minus the cost of the calls, by budget", (1,), (9.6, 3.2),
)  # fmt: skip
axis.plot(budgets, true_gain, color=MODEL, lw=2.2, label="by uplift")
axis.plot(budgets, random_gain, "--", color=INK, lw=1.6, label="random, same number")
axis.set(xlabel=f"budget of the campaign, {currency}", ylabel=f"net gain in a quarter, {currency}")
money(axis, "xy")
legend(axis, "lower right")
show(figure, "Lines: net gain by budget, calling by uplift score and the same number at random")

# %% [markdown]
# ## The PDCA cycle in one table

# %%
mean, error = outcome.mean(), outcome.std() / np.sqrt(len(outcome))
spend = Measurement(mean, mean - 1.96 * error, mean + 1.96 * error, len(outcome))
goal = IndicatorTarget(target=float(round(1.2 * mean)), owner="sales", actions=["call"])
log = pd.DataFrame(
    [{"action": "call", "treated": int(treated.sum()), "held_out": int((~treated).sum())}]
)
cycles = build_pdca_cycles(
    [*checked, *check_targets({"spend": goal}, {"spend": spend})], log, {"call": adjusted}
)
table = pd.DataFrame([vars(row) for row in cycles])
table["indicator"] = table["indicator"].str.replace("_", " ")
words = {"plan": "plan", "do": "do", "check": "check", "act": "act"}
headed(table.set_index("indicator"), words, "indicator")

# %% [markdown]
# ## Summary
#
# - Keep a random hold-out group: only this comparison needs no assumptions about who was treated.
# - Adjusting for what was known before makes the same campaign more informative.
# - The customer most likely to buy is rarely the one whose behaviour a call changes.

# %% [markdown]
# ## Exercise 1: How large must the hold-out group be?
#
# A hold-out group costs sales. Estimate the effect with only a tenth of the customers held out
# instead of half: how much wider does the interval become?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# small_holdout = np.random.default_rng(3).random(len(rows)) < 0.9
# then = np.minimum(rows["after"], 3 * mean_spend).to_numpy() + gain * small_holdout + noise
# tenth_held_out = estimate_holdout_effect(then, small_holdout, known_before)
# for share, found in (("half", adjusted), ("a tenth", tenth_held_out)):
#     value, low, high = found.effect.value, found.effect.low, found.effect.high
#     print(f"{share} held out: {value:,.0f} {currency} ({low:,.0f} to {high:,.0f}), "
#           f"{high - low:,.0f} wide")
# ```
#
# The smaller group determines the precision. A tenth is often enough for a large campaign, and cheap;
# for a small one it may show nothing.
#
# </details>

# %% [markdown]
# ## Exercise 2: What does a wrong score cost?
#
# Sales prefers to call the customers with the most spending so far. Compare the true gain of 1,000 calls
# in that order with 1,000 calls by uplift score and at random.
#
# <details>
# <summary>Answer</summary>
#
# ```python
# orders = {"uplift score": score, "spending so far": before, "random": rng.random(len(score))}
# called_first = {name: np.argsort(-by, kind="stable")[:1000] for name, by in orders.items()}
# pd.DataFrame(
#     {f"true gain of 1,000 calls, {currency}": {n: gain[i].sum() for n, i in called_first.items()}}
# ).rename_axis("order of the calls")
# ```
#
# In this simulation, the largest customers buy anyway, so calling them gains nothing. Who spends most,
# who is likely to leave and whose behaviour a call changes are three different lists.
#
# </details>
