# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 12 · The closed loop: did it help, and whom next?
#
# Plan, do, check, act. Targets stand in the company's TOML file, actions in the log of events, and the
# check is a measurement that can say *no*. The sample company has run no campaign, so one is simulated
# here: the customers and their spend are those of the history, the effect of the call is planted, and
# every figure can be held against the truth.

# %%
# %matplotlib inline
import os

import numpy as np
import pandas as pd
from bars import dots, heading
from start import begin, open_tables

from insight.closed_loop.closed_loop_settings import IndicatorTarget
from insight.closed_loop.matching import estimate_matched_effect
from insight.closed_loop.pdca import build_pdca_cycles
from insight.closed_loop.target_status import Measurement, check_targets
from insight.closed_loop.treatment_effect import estimate_holdout_effect
from insight.closed_loop.uplift import measure_qini, plan_treatments, score_uplift
from insight.complaints.confounders import encode_confounders
from insight.complaints.intake import read_complaints
from insight.evaluation.complaint_indicators import measure_complaints
from models.plots.style import ACTUAL, CASE, MODEL, QUIET, RULE, canvas, legend, money, percent

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = begin(COMPANY, upto="data")
currency = company.info.currency

# %% [markdown]
# ## Plan: targets
#
# In the TOML file: `[insight.loop.targets.days_to_solution]` with `target = 4` and `better = "lower"`.
# A target is reached or missed when the whole interval of its indicator lies on that side.

# %%
targets = {
    "hours_to_reply": IndicatorTarget(target=24, better="lower", owner="service desk"),
    "days_to_solution": IndicatorTarget(target=4, better="lower", until="2026-12-31"),
    "reopen_rate": IndicatorTarget(target=0.11, better="lower"),
}
measured = measure_complaints(read_complaints(company, workspace))
checked = check_targets(targets, measured)
known = [c for c in checked if measured.get(c.name)]
figure, axes = canvas(
    f"{sum(c.verdict == 'reached' for c in known)} of {len(targets)} targets reached",
    "Indicator with its 95 % interval; the dashed line is the target", (1,) * len(known), (9.6, 2.2),
)  # fmt: skip
for axis, item in zip(axes, known, strict=True):
    m = item.measured
    dots(axis, [item.verdict], [(m.value, m.low, m.high)])
    axis.axvline(item.target.target, color=RULE, ls=(0, (4, 3)))
    axis.set_xlim(0, 1.3 * max(m.high, item.target.target))
    heading(axis, item.name.replace("_", " "))
figure

# %% [markdown]
# ## Do: a call, to a half drawn by lot
#
# Spend of each customer in the quarter before a day and the quarter after it come from the history.
# The planted truth: a call adds half of a usual quarter's spend for those who buy now and then, nothing
# for large customers, who order anyway, and takes a little from those who had not ordered at all.

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
times = max(1, 6000 // len(rows))  # a small company stands several times, to be learned from
rows = rows.loc[rows.index.repeat(times)].reset_index(drop=True)
before = rows["before"].to_numpy()
small = (before > 0) & (before < np.quantile(before, 0.8))
level = before[small].mean()
gain = np.where(small, 0.5 * level, np.where(before == 0, -0.1 * level, 0.0))
known_before = encode_confounders(
    rows[["before", "orders", "logins"]].assign(
        buys=(before > 0).astype(float), small=small.astype(float)
    )
)
treated = rng.random(len(rows)) < 0.5
noise = rng.normal(0, 0.3 * level, len(rows))
outcome = np.minimum(rows["after"], 3 * level).to_numpy() + gain * treated + noise
print(f"{treated.sum():,} called, {(~treated).sum():,} left alone")
print(f"true effect {gain.mean():,.0f} {currency} per customer")

# %% [markdown]
# ## Check: what the call did
#
# The plain difference is right, but blunt: customers differ more than a call does. Adjusting for what
# was known before (CUPED) takes that part of the noise away. Without any who were left alone there is no
# answer, and the code says so rather than print a number.

# %%
plain = estimate_holdout_effect(outcome, treated, known_before[:, :0])
sharp = estimate_holdout_effect(outcome, treated, known_before)
everybody = estimate_holdout_effect(outcome, np.ones_like(treated), known_before)
figure, (axis,) = canvas(
    f"The call adds {sharp.effect.value:,.0f} {currency} per customer ({sharp.effect.low:,.0f} to "
    f"{sharp.effect.high:,.0f})",
    f"Dashed: the planted truth. Known before: {sharp.sharper:.0%} of the variance", (1,), (9.6, 2.2),
)  # fmt: skip
measures = {"plain difference": plain.effect, "CUPED": sharp.effect}
dots(axis, list(measures), [(e.value, e.low, e.high) for e in measures.values()])
axis.axvline(gain.mean(), color=ACTUAL, ls=(0, (4, 3)))
axis.axvline(0, color=QUIET, lw=1)
money(axis, "x")
print(f"everybody called: {everybody.verdict}. {everybody.note}")
figure

# %% [markdown]
# ## Nobody drawn by lot
#
# Most campaigns are not drawn: the sales people called whom they knew, the active ones. Then the plain
# difference is mostly about who was called. Comparing customers alike in what the tables show mends what
# they show, and only that.

# %%
liked = 1.2 * known_before[:, 0] + 0.6 * known_before[:, 2]
called = rng.random(len(rows)) < 1 / (1 + np.exp(-liked))
spent = np.minimum(rows["after"], 3 * level).to_numpy() + gain * called + noise
alike = estimate_matched_effect(spent, called, known_before)
pretended = estimate_holdout_effect(spent, called, known_before)
truth = gain[called].mean()
estimates = {"plain difference": (alike.naive,) * 3}
if alike.effect:
    estimates["customers alike"] = (alike.effect.value, alike.effect.low, alike.effect.high)
figure, (axis,) = canvas(
    f"The plain difference says {alike.naive:,.0f} {currency}, the truth is {truth:,.0f}",
    "Effect on those called; dashed: the planted truth", (1,), (9.6, 2.2),
)  # fmt: skip
dots(axis, list(estimates), list(estimates.values()))
axis.axvline(truth, color=ACTUAL, ls=(0, (4, 3)))
money(axis, "x")
print(f"taken for a hold-out: {pretended.verdict}. {pretended.note}")
figure

# %% [markdown]
# ## Whom does it move?
#
# The effect is not the same for all. An uplift score says what the call adds to *each*; the Qini curve
# holds it against the log: treat the first tenth, two tenths and so on, and count what is gained.

# %%
score = score_uplift(outcome, treated, known_before)
learned, best = measure_qini(score, outcome, treated), measure_qini(gain, outcome, treated)
figure, (left, right) = canvas(
    "The score finds those whom a call moves" if learned.sorts else "The score is no better than lots",
    f"Qini coefficient {learned.coefficient.value:,.1f} {currency} per customer "
    f"({learned.coefficient.low:,.1f} to {learned.coefficient.high:,.1f})", (1.3, 1), (9.6, 3.6),
)  # fmt: skip
left.plot(best.shares, best.gains, color=ACTUAL, label="planted truth", lw=1.4)
left.plot(learned.shares, learned.gains, color=MODEL, label="score", lw=2.2)
left.plot([0, 1], [0, learned.gains[-1]], color=QUIET, ls=(0, (4, 3)), label="anybody")
percent(left, "x")
left.set(xlabel="share called, best first", ylabel=f"{currency} gained per customer")
legend(left, "lower right")
heading(left, "Qini curve")
tenth = pd.qcut(score, 10, labels=False, duplicates="drop")
by_tenth = pd.DataFrame({"score": score, "truth": gain}).groupby(tenth).mean()
right.plot(by_tenth["score"], by_tenth["truth"], "o", color=MODEL)
ends = [by_tenth["score"].min(), by_tenth["score"].max()]
right.plot(ends, ends, color=QUIET, ls=(0, (4, 3)))
right.set(xlabel="score", ylabel="planted truth")
heading(right, "By tenth of the score")
figure

# %% [markdown]
# ## Act: whom to call first under a budget
#
# A call costs; those who would lose by it are never on the list.

# %%
cost = np.full(len(score), 0.02 * level)
budgets = np.linspace(0.05, 1, 20) * cost.sum()
plans = [plan_treatments(score, cost, float(b)) for b in budgets]
true_gain = [gain[p.chosen].sum() - p.cost for p in plans]
lots = rng.permutation(len(score))
by_lot = [gain[lots[: len(p.chosen)]].sum() - p.cost for p in plans]
top = int(np.argmax(true_gain))
figure, (axis,) = canvas(
    f"Calling {len(plans[top].chosen):,} of {len(score):,} customers brings most",
    "Planted gain less the cost of the calls, by budget", (1,), (9.6, 3.2),
)  # fmt: skip
axis.plot(budgets, true_gain, color=MODEL, lw=2.2, label="by uplift")
axis.plot(budgets, by_lot, color=CASE, lw=1.6, label="anybody, as many")
axis.set(xlabel=f"budget, {currency}", ylabel=f"net gain, {currency}")
money(axis, "xy")
legend(axis, "lower right")
figure

# %% [markdown]
# ## The cycle in one table

# %%
mean, error = outcome.mean(), outcome.std() / np.sqrt(len(outcome))
spend = Measurement(mean, mean - 1.96 * error, mean + 1.96 * error, len(outcome))
goal = IndicatorTarget(target=float(round(1.2 * mean)), owner="sales", actions=["call"])
log = pd.DataFrame(
    [{"action": "call", "treated": int(treated.sum()), "held_out": int((~treated).sum())}]
)
pd.DataFrame(
    [
        vars(row)
        for row in build_pdca_cycles(
            [*checked, *check_targets({"spend": goal}, {"spend": spend})], log, {"call": sharp}
        )
    ]
)

# %% [markdown]
# ## What to remember
#
# - Leave a part alone by lot: it is the only comparison that needs no belief.
# - What was known before makes the same campaign tell more.
# - The likeliest buyer is seldom the one whom a call moves.
