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
from start import open_company

from models.bundles.champions import load_champions
from models.plots.style import (
    ACTUAL,
    CASE,
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
            "against the baseline rule": bundle.manifest.grade_reason.split(": ", 1)[1],
        }
        for name, bundle in bundles.items()
    }
).T

# %% [markdown]
# ## Scores of all customers
#
# `goodwill score` writes this file, and `goodwill evaluate` adds columns with the customer status.
# The notebook only reads it.

# %%
path = workspace.scores(company.name)
scores = pq.read_table(path).to_pandas()
as_of = scores["as_of"].iloc[0]
print(f"{path.relative_to(workspace.home)}: {len(scores):,} customers as of {as_of:%d %B %Y}")
scores.set_index("customer_id").head(3).T

# %% [markdown]
# A churn probability applies to customers who *can* leave, marked by `churn_in_population`. The
# others stay in the file because the other scores apply to them, too.

# %%
inside = scores[scores.get("churn_in_population", pd.Series(True, scores.index))]
panels = {
    "churn_probability": ("churn probability", CASE),
    "satisfaction_score": ("satisfaction, 0 to 100", MODEL),
    "nps_promoter": ("promoter probability", ACTUAL),
    "value_expected": (f"expected value, {currency}", RULE),
}
shown = [name for name in panels if name in scores]
likely = int((inside["churn_probability"] > 0.2).sum()) if "churn_probability" in inside else 0
figure, axes = tiles(
    f"{len(inside):,} of {len(scores):,} customers can leave; {likely:,} of them with a probability "
    "above 20%",
    "Colour: customers in the population, with their median. Grey: former customers",
    len(shown), columns=2, height=2.1,
)  # fmt: skip
for axis, name in zip(axes, shown, strict=True):
    values = (inside if name == "churn_probability" else scores)[name]
    top = values.quantile(0.98) if name == "value_expected" else values.max()
    steps = np.linspace(values.min(), top, 41)
    axis.hist(values.clip(upper=top), steps, color=QUIET, alpha=0.35)
    axis.hist(inside[name].clip(upper=top), steps, color=panels[name][1], alpha=0.9)
    axis.axvline(inside[name].median(), color=INK, lw=1.6)
    axis.set(xlabel=panels[name][0], ylabel="customers")
    if name == "value_expected":
        money(axis, "x")
    elif name != "satisfaction_score":
        percent(axis, "x")
    heading(axis, name)
figure

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
percent(left, "y")
heading(left, "Share of customers and of value")
legend(left, "upper right")
left.set_ylim(0, 1.25 * share.max().max())
bars(middle, order, list(risk.fillna(0)), "{:.1%}")
percent(middle, "x")
heading(middle, "Mean churn probability")
bars(right, order, list(mean.fillna(0)), "{:,.0f}")
heading(right, f"Mean {second.replace('_', ' ')}")
figure

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
left.set(xlabel="churn probability", ylabel=f"expected value, {currency}")
left.set_ylim(max(1.0, calls["value_expected"].quantile(0.02)), calls["value_expected"].max() * 1.6)
percent(left, "x")
money(left, "y")
heading(left, "Customers who can leave")
for column, colour, label in (
    ("at_risk", RULE, "by money at risk"),
    ("churn_probability", CASE, "by probability"),
    ("value_expected", MODEL, "by value"),
):
    reached = (
        calls.sort_values(column, ascending=False)["at_risk"].cumsum() / calls["at_risk"].sum()
    )
    right.plot(np.arange(1, len(calls) + 1), reached, color=colour, lw=2.2, label=label)
right.axvline(budget, color=QUIET, lw=1)
right.set(xlim=(0, min(len(calls), 12 * budget)), ylim=(0, 1.02), xlabel="calls",
          ylabel="share of the money at risk")  # fmt: skip
percent(right, "y")
heading(right, "Order of calls")
legend(right, "lower right")
figure

# %%
columns = ["customer_id", "at_risk", "churn_probability", "value_expected", "value_segment"]
calls[columns + [c for c in ("satisfaction_score", "nps_class") if c in calls]].head(10).round(3)

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
    "Effect of each factor, in points of the score", len(explained), 1, height=2.9,
)  # fmt: skip
sides = {
    "churn": (("stays", MODEL), ("leaves", CASE)),
    "satisfaction": (("dissatisfied", CASE), ("satisfied", MODEL)),
}
for axis, target in zip(axes, explained, strict=True):
    reasons = [(r.text.rsplit(": ", 1)[0], r.effect) for r in answer.reasons[target]]
    reason_bars(axis, reasons, *sides[target])
    heading(axis, target)
figure

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
    models = {model["target"]: model["version"] for model in goodwill.models()}
print(f"{len(requested) + 1} customers requested, {len(rows)} known; model versions {models}")
rows[0]

# %% [markdown]
# The answers must be identical to the file: same features, same models, same code.

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
for name, colour in (("churn_probability", CASE), ("nps_promoter", ACTUAL)):
    if name in served:
        left.plot(stored[name], served[name], "o", ms=5, mew=0, alpha=0.6, color=colour, label=name)
left.plot([0, 1], [0, 1], color=QUIET, lw=1, ls=(0, (4, 3)))
left.set(xlabel="in the scores file", ylabel="over HTTP", xlim=(0, 1), ylim=(0, 1))
percent(left, "xy")
heading(left, "File and service")
legend(left, "upper left")
right.hist(np.clip(latency, 0, np.quantile(latency, 0.98)), bins=30, color=MODEL, alpha=0.85)
right.set(xlabel="milliseconds", ylabel="requests", xlim=(0, None))
heading(right, "Latency")
figure

# %% [markdown]
# ## Summary
#
# - A score applies to the customers of its population.
# - Order calls by money at risk; ordering by probability alone spends calls on small customers.
# - Reasons describe what the model uses; the customer knows the actual cause.
# - The file and the service agree because they share the code for features and predictions.
