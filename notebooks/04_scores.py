# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 · Scores: whom to call, and why
#
# Models that pass the gate become **champions**. Each night they score the **snapshot**, the
# features of all customers as of the end of the data, and write one file for the CRM. The same
# champions answer over HTTP. This notebook reads the file, makes a call list, shows reasons, and
# checks that the service returns the same scores.

# %%
# %matplotlib inline
import os
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from bars import bars, heading, reason_bars, tiles
from figures import show
from readable_tables import headed, rounded
from start import open_company

from insight.formatting.display_names import reason_sentence
from models.bundles.champions import load_champions
from models.plots.style import (
    INK,
    MODEL,
    QUIET,
    RULE,
    canvas,
    legend,
    money,
    percent,
    short,
)
from serve.client import Client
from serve.process.server import LaunchOptions, running_service
from serve.scoring.company_scorer import CompanyScorer

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = open_company(COMPANY, upto="score")
currency = company.info.currency

# %% [markdown]
# ## The champions
#
# A champion is a folder of plain files: trees as text, the calibration, and a manifest with its
# origin. Loading verifies the hash of each file and executes no code from it.

# %%
bundles, missing = load_champions(workspace.serving(company.name))
HORIZON = {name: bundle.manifest.horizon_days for name, bundle in bundles.items()}
leaves, next_days = f"within {HORIZON['churn']} days", f"in the next {HORIZON['value']} days"
for name, why in missing.items():
    print(f"{name}: {why}")
pd.DataFrame(
    {
        name: {
            "version": bundle.version,
            "grade": bundle.manifest.grade,
            "horizon, days": bundle.manifest.horizon_days,
            "tested on": bundle.manifest.test_start[:10],
            "features": len(bundle.manifest.features),
            "trees": bundle.estimator.rounds,
            "against the baseline rule": reason_sentence(
                bundle.manifest.grade_reason.split(": ", 1)[1]
            ),
        }
        for name, bundle in bundles.items()
    }
).T

# %% [markdown]
# ## Scores of all customers
#
# `goodwill score` writes this file, and `goodwill evaluate` adds columns with the customer status.
# The notebook only reads it. The file has a column for each output of each model; these are the
# ones that people look at first.

# %%
path = workspace.scores(company.name)
scores = pq.read_table(path).to_pandas()
as_of = scores["as_of"].iloc[0]
print(f"{path.relative_to(workspace.home)}: {len(scores):,} customers as of {as_of:%d %B %Y}")
words = {
    "satisfaction_score": "satisfaction, 0 to 100",
    "nps_class": "class of the NPS answer",
    "churn_probability": f"churn probability {leaves}",
    "churn_in_population": "can leave",
    "value_expected": f"expected value {next_days}, {currency}",
    "value_segment": "value segment",
}
headed(scores.set_index("customer_id"), words, "customer").head(6)

# %% [markdown]
# A churn probability applies to customers who *can* leave, marked by `churn_in_population`. The
# others stay in the file because the other scores apply to them, too.

# %%
inside = scores[scores.get("churn_in_population", pd.Series(True, scores.index))]
panels = {
    "churn_probability": ("Churn probability", leaves),
    "satisfaction_score": ("Satisfaction", "0 to 100"),
    "nps_promoter": ("Probability of a promoter", "if asked today"),
    "value_expected": ("Expected value", f"{currency} {next_days}"),
}
shown = [name for name in panels if name in scores]
likely = int((inside["churn_probability"] > 0.2).sum()) if "churn_probability" in inside else 0
figure, axes = tiles(
    f"{len(inside):,} of {len(scores):,} customers can leave; {likely:,} of them with a probability "
    "above 20%",
    "Blue: customers who can leave; orange line: their median. Grey: former customers",
    len(shown), columns=2, height=2.1,
)  # fmt: skip
for axis, name in zip(axes, shown, strict=True):
    values = (inside if name == "churn_probability" else scores)[name]
    top = values.quantile(0.98) if name == "value_expected" else values.max()
    steps = np.linspace(values.min(), top, 41)
    axis.hist(values.clip(upper=top), steps, color=QUIET, alpha=0.35)
    axis.hist(inside[name].clip(upper=top), steps, color=MODEL, alpha=0.9)
    axis.axvline(inside[name].median(), color=RULE, lw=1.8)
    what, unit = panels[name]
    axis.set(xlabel=unit, ylabel="customers")
    if name == "value_expected":
        money(axis, "x")
    elif name != "satisfaction_score":
        percent(axis, "x")
    heading(axis, what)
show(
    figure,
    "Histograms of the customers who can leave and of former customers, one panel each: "
    f"{'; '.join(f'{what}, {unit}' for what, unit in (panels[name] for name in shown))}",
)

# %% [markdown]
# ## Segments
#
# Value has four **segments**: the top 5%, the next 15%, the next 30% and the rest. Their thresholds
# are fixed with the model, so a customer changes segment only when *their own* prediction changes.

# %%
order = ["top", "high", "middle", "low"]
by_segment = scores.groupby("value_segment").agg(
    customers=("customer_id", "size"), money=("value_expected", "sum")
).reindex(order).fillna(0)  # fmt: skip
risk = inside.groupby("value_segment")["churn_probability"].mean().reindex(order)
second = "satisfaction_score" if "satisfaction_score" in inside else "value_expected"
mean = inside.groupby("value_segment")[second].mean().reindex(order)
share = by_segment / by_segment.sum()
figure, (left, middle, right) = canvas(
    f"The top segment, {share['customers'].iloc[0]:.0%} of the customers, accounts for "
    f"{share['money'].iloc[0]:.0%} of the expected value",
    "By value segment; middle and right: customers who can leave", (1.25, 1, 1), (9.6, 3.6),
)  # fmt: skip
place = np.arange(len(order))
left.bar(place - 0.2, share["customers"], 0.38, color=QUIET, label="customers")
left.bar(place + 0.2, share["money"], 0.38, color=RULE, label="expected value")
left.set_xticks(place, order)
left.set_ylabel("share of the total")
percent(left, "y")
heading(left, "Share of customers and of value")
legend(left, "upper right")
left.set_ylim(0, 1.5 * share.max().max())
bars(middle, order, list(risk.fillna(0)), leaves, "{:.1%}")
percent(middle, "x")
heading(middle, "Mean churn probability")
what, unit = panels[second]
bars(right, order, list(mean.fillna(0)), unit, "{:,.0f}")
heading(right, f"Mean {what.lower()}")
show(
    figure,
    "Bars for the segments top, high, middle and low. Left: share of customers and of expected value. "
    f"Middle: mean churn probability. Right: mean {what.lower()}",
)

# %% [markdown]
# ## Call list
#
# Neither churn probability nor value alone gives the best order, but their product does.
# `probability × expected value` is the money the company expects to lose within the horizon;
# because the probabilities are calibrated, it can be added up. (The predicted value already
# includes the risk of churn, so use the product as a priority, not as an accounting figure.)

# %%
calls = inside.assign(
    at_risk=inside["churn_probability"] * inside["value_expected"].clip(lower=0)
).sort_values("at_risk", ascending=False)  # fmt: skip
budget = min(50, len(calls))
first, rest = calls.iloc[:budget], calls.iloc[budget:]
covered = first["at_risk"].sum() / calls["at_risk"].sum()
figure, (left, right) = canvas(
    f"{budget} calls cover {covered:.0%} of the {short(calls['at_risk'].sum())} {currency} at risk",
    "Orange: to be called. Money at risk: churn probability × expected value", (1.25, 1),
)  # fmt: skip
for part, colour, alpha in ((rest, QUIET, 0.35), (first, RULE, 0.9)):
    left.plot(part["churn_probability"], part["value_expected"].clip(lower=1), ".", color=colour,
              alpha=alpha, ms=6, mew=0)  # fmt: skip
threshold = first["at_risk"].iloc[-1]
along = np.linspace(0.01, calls["churn_probability"].max(), 100)
left.plot(along, threshold / along, color=RULE, lw=1.2, ls=(0, (4, 3)))
left.set_yscale("log")
left.set(xlabel=f"churn probability {leaves}", ylabel=f"expected value {next_days}, {currency}")
left.set_ylim(max(1.0, calls["value_expected"].quantile(0.02)), calls["value_expected"].max() * 1.6)
percent(left, "x")
money(left, "y")
heading(left, "Customers who can leave")
for column, colour, line, label in (
    ("at_risk", RULE, "-", "by money at risk"),
    ("churn_probability", INK, ":", "by probability"),
    ("value_expected", MODEL, "--", "by value"),
):
    reached = (
        calls.sort_values(column, ascending=False)["at_risk"].cumsum() / calls["at_risk"].sum()
    )
    right.plot(np.arange(1, len(calls) + 1), reached, line, color=colour, lw=2.2, label=label)
right.axvline(budget, color=QUIET, lw=1)
right.set(xlim=(0, min(len(calls), 12 * budget)), ylim=(0, 1.02), xlabel="number of calls",
          ylabel="share of the money at risk")  # fmt: skip
percent(right, "y")
heading(right, "Order of calls")
legend(right, "lower right")
show(
    figure,
    "Left: one dot for each customer, expected value on a logarithmic axis by churn probability; the "
    "customers to be called lie above a dashed curve of equal money at risk. Right: lines, share of "
    "the money at risk by number of calls, for three orders of the calls",
)

# %%
listed = {"at_risk": f"money at risk {next_days}, {currency}", **words}
del listed["churn_in_population"]
headed(calls.set_index("customer_id"), listed, "customer").head(10)

# %% [markdown]
# ## Reasons
#
# For each prediction, reasons show which features moved the score away from that of the average
# customer. The effects sum exactly to the score (TreeSHAP; for probabilities, on the log-odds
# scale). A reason describes what the *model* uses. It can open a conversation, but does not prove a
# cause.

# %%
CUSTOMER = str(calls["customer_id"].iloc[0])
scorer = CompanyScorer(company, workspace)
(answer,) = scorer.score_ids([CUSTOMER], None, reasons=8).scores

explained = [t for t in ("churn", "satisfaction") if t in answer.reasons]
summary = calls.iloc[0]
figure, axes = tiles(
    f"{CUSTOMER}: churn probability {summary['churn_probability']:.0%}, "
    f"{summary['value_expected']:,.0f} {currency} expected value",
    f"Churn {leaves}, value {next_days}. Bars: effect of each factor, in points", len(explained), 1,
    height=2.9,
)  # fmt: skip
sides = {
    "churn": (("stays", MODEL), ("leaves", RULE)),
    "satisfaction": (("dissatisfied", RULE), ("satisfied", MODEL)),
}
for axis, target in zip(axes, explained, strict=True):
    reasons = [(r.text.rsplit(": ", 1)[0], r.effect) for r in answer.reasons[target]]
    reason_bars(axis, reasons, *sides[target], "points")
    heading(
        axis,
        panels[{"churn": "churn_probability", "satisfaction": "satisfaction_score"}[target]][0],
    )
show(
    figure,
    f"Bars to the left and to the right, the effects of eight factors on {' and on '.join(explained)}; "
    "the table above has the customer's scores",
)

# %% [markdown]
# ## Scores from the service
#
# `goodwill serve` returns the same scores over HTTP. This cell starts it on a free port, requests
# the customers at the top of the list and one unknown customer, and stops it.

# %%
requested = calls["customer_id"].head(100).astype(str).tolist()
launch = LaunchOptions(
    company.path, workspace, workers=1, output=workspace.mlruns / "logs" / "notebook.log"
)
latency = []
with (
    running_service(launch) as server,
    Client(server.url) as goodwill,
):
    rows = goodwill.scores([*requested, "unknown"], reasons=1)
    for customer in requested:
        start = time.perf_counter()
        goodwill.scores([customer], reasons=3)
        latency.append(1000 * (time.perf_counter() - start))
    models = goodwill.models()
print(f"{len(requested) + 1} customers requested, {len(rows)} known; model versions: "
      + ", ".join(f"{model['target']} {model['version']}" for model in models))  # fmt: skip
pd.DataFrame(
    [
        (t, name, value if isinstance(value, bool | str | None) else rounded(value))
        for t, outputs in rows[0]["predictions"].items()
        for name, value in outputs.items()
        if not isinstance(value, list)
    ],
    columns=["target", "output", f"answer for {rows[0]['customer_id']}"],
).set_index(["target", "output"])

# %% [markdown]
# The answer is JSON; the table leaves out the survival curve, a list of numbers. The answers must be
# identical to the file: same features, same models, same code.

# %%
served = pd.DataFrame(
    {
        "customer_id": row["customer_id"],
        **{f"{t}_{n}": v for t, outputs in row["predictions"].items() for n, v in outputs.items()},
    }
    for row in rows
).set_index("customer_id")
stored = scores.set_index("customer_id").loc[served.index, served.columns]
served, stored = (  # curves as tuples, to compare them as a whole
    table.map(lambda v: tuple(v) if isinstance(v, list | np.ndarray) else v)
    for table in (served, stored)
)
numbers = served.select_dtypes("float").columns
gap = float(np.abs(served[numbers] - stored[numbers]).max().max())
others_equal = bool((served.drop(columns=numbers) == stored.drop(columns=numbers)).all().all())
print(f"largest difference: {gap}; classes, segments and flags identical: {others_equal}")

figure, (left, right) = canvas(
    f"{len(served)} customers, {len(served.columns)} outputs: largest difference {gap:g}",
    f"Latency of one customer with three reasons: median {np.median(latency):.1f} ms, "
    f"95th percentile {np.quantile(latency, 0.95):.1f} ms", (1, 1),
)  # fmt: skip
for name, colour, mark in (("churn_probability", RULE, "o"), ("nps_promoter", MODEL, "s")):
    if name in served:
        left.plot(stored[name], served[name], mark, ms=5, mew=0, alpha=0.6, color=colour,
                  label=panels[name][0].lower())  # fmt: skip
left.plot([0, 1], [0, 1], color=QUIET, lw=1, ls=(0, (4, 3)))
left.set(xlabel="in the scores file", ylabel="over HTTP", xlim=(0, 1), ylim=(0, 1.02))
percent(left, "xy")
heading(left, "File and service")
legend(left, "upper left")
right.hist(np.clip(latency, 0, np.quantile(latency, 0.98)), bins=30, color=MODEL, alpha=0.85)
right.set(xlabel="latency, milliseconds", ylabel="requests", xlim=(0, None))
heading(right, "Latency of one customer")
show(
    figure,
    "Left: one dot for each customer and probability, over HTTP by scores file; all lie on the dashed "
    "diagonal. Right: histogram of the latency of a request",
)

# %% [markdown]
# ## Summary
#
# - A score applies to the customers of its population.
# - Order calls by money at risk; ordering by probability alone spends calls on small customers.
# - Reasons describe what the model uses; the customer knows the actual cause.
# - The file and the service agree because they share the code for features and predictions.

# %% [markdown]
# ## Exercise 1: Is the call list stable?
#
# The call list orders by `churn probability × expected value`. `value_high` is the upper end of the
# prediction interval of the value. How many of the `budget` first customers stay on the list if it is
# ordered by probability times `value_high`, and what does that say about the list?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# cautious = (calls["churn_probability"] * calls["value_high"].clip(lower=0)).nlargest(budget)
# kept = cautious.index.isin(first.index).sum()
# print(f"{kept} of {budget} customers are on both lists")
# both = calls.loc[cautious.index].set_index("customer_id")
# headed(both[~cautious.index.isin(first.index)], listed, "only on the cautious list").head(5)
# ```
#
# Customers on both lists are safe choices. Those who appear only on the cautious list have an uncertain
# value: it may be large, but nothing promises it.
#
# </details>

# %% [markdown]
# ## Exercise 2: Where churn and satisfaction disagree
#
# Find the customers who can leave and are predicted to be satisfied (at least 75), but belong to the
# tenth with the highest churn probability. How many are there, and what are the reasons of the
# first?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# likely_to_leave = inside["churn_probability"] >= inside["churn_probability"].quantile(0.9)
# puzzling = inside[likely_to_leave & (inside["satisfaction_score"] >= 75)]
# print(f"{len(puzzling)} satisfied customers are likely to leave")
# chosen = (puzzling if len(puzzling) else calls)["customer_id"].iloc[:1].astype(str).tolist()
# (why,) = scorer.score_ids(chosen, None, reasons=5).scores
# reasons = [(target, r.text) for target in ("churn", "satisfaction") for r in why.reasons[target]]
# pd.DataFrame(reasons, columns=["target", f"reasons of {chosen[0]}"]).set_index("target")
# ```
#
# Satisfied customers leave, too: a contract ends, or the need is gone. The two models answer two
# questions, and a call can ask what neither of them knows.
#
# </details>
