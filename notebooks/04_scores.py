# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 · Scores: whom to call, and what to say
#
# The models that passed their gate are the **champions**. Every night they score the **snapshot**, the
# features of all customers as of the end of the data; the result is one file for the CRM. The same
# champions answer over HTTP. This notebook reads the file, turns it into a list of calls, asks for
# reasons, and checks that the service says the same.

# %%
# %matplotlib inline
import os
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from bars import bars, heading, reason_bars, tiles
from start import begin

from features.progress import silent_steps
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
from models.scoring.batch_scores import score_customers
from serve.client import Client
from serve.process.server import LaunchOptions, running_service
from serve.scoring.company_scorer import CompanyScorer

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = begin(COMPANY, upto="score")
currency = company.info.currency

# %% [markdown]
# ## The champions
#
# A champion is a folder of plain files: trees as text, the calibration, and a manifest that tells where
# it comes from. Loading checks every file's hash and executes nothing.

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
            "against the rule": bundle.manifest.grade_reason.split(": ", 1)[1],
        }
        for name, bundle in bundles.items()
    }
).T

# %% [markdown]
# ## Everybody's scores

# %%
path = score_customers(company, workspace, silent_steps())
scores = pq.read_table(path).to_pandas()
as_of = scores["as_of"].iloc[0]
print(f"{path.relative_to(workspace.home)}: {len(scores):,} customers as of {as_of:%d %B %Y}")
scores.set_index("customer_id").head(3).T

# %% [markdown]
# A probability of leaving is meant for customers who *can* leave: `churn_in_population` says who. The
# others stay in the file, for the other scores are about them, too.

# %%
inside = scores[scores.get("churn_in_population", pd.Series(True, scores.index))]
panels = {
    "churn_probability": ("probability of leaving", CASE),
    "satisfaction_score": ("satisfaction, 0 to 100", MODEL),
    "nps_promoter": ("probability of a promoter", ACTUAL),
    "value_expected": (f"expected value, {currency}", RULE),
}
shown = [name for name in panels if name in scores]
likely = int((inside["churn_probability"] > 0.2).sum()) if "churn_probability" in inside else 0
figure, axes = tiles(
    f"{len(inside):,} of {len(scores):,} customers can leave; {likely:,} are likelier than 20 % to",
    "Colour: customers in the population, with their median. Grey: those who left before",
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
# Value comes in four **segments** (the top 5 %, the next 15 %, the next 30 %, the rest). Their borders
# were fixed with the model, so that a customer moves only when *he* changes.

# %%
order = ["top", "high", "middle", "low"]
by_segment = scores.groupby("value_segment").agg(
    customers=("customer_id", "size"), money=("value_expected", "sum")
).reindex(order).fillna(0)  # fmt: skip
risk = inside.groupby("value_segment")["churn_probability"].mean().reindex(order)
mood = "satisfaction_score" if "satisfaction_score" in inside else "value_expected"
mean = inside.groupby("value_segment")[mood].mean().reindex(order)
share = by_segment / by_segment.sum()
figure, (left, middle, right) = canvas(
    f"The top segment, {share['customers'].iloc[0]:.0%} of the customers, brings "
    f"{share['money'].iloc[0]:.0%} of the money",
    "By value segment; the panels on the right: customers who can leave", (1.25, 1, 1), (9.6, 3.6),
)  # fmt: skip
place = np.arange(len(order))
left.bar(place - 0.2, share["customers"], 0.38, color=QUIET, label="customers")
left.bar(place + 0.2, share["money"], 0.38, color=RULE, label="expected money")
left.set_xticks(place, order)
percent(left, "y")
heading(left, "Share of customers and of money")
legend(left, "upper right")
left.set_ylim(0, 1.25 * share.max().max())
bars(middle, order, list(risk.fillna(0)), "{:.1%}")
percent(middle, "x")
heading(middle, "Mean probability of leaving")
bars(right, order, list(mean.fillna(0)), "{:,.0f}")
heading(right, f"Mean {mood.replace('_', ' ')}")
figure

# %% [markdown]
# ## Who to call first
#
# Not the likeliest leaver, not the largest customer: the product. `probability × expected value` is the
# money we expect to lose within the horizon, and because the probabilities are calibrated it may be
# added up. (The value is predicted for the customer as he is, risk included; so the product is a
# priority, not an invoice.)

# %%
calls = inside.assign(
    at_stake=inside["churn_probability"] * inside["value_expected"].clip(lower=0)
).sort_values("at_stake", ascending=False)  # fmt: skip
budget = min(50, len(calls))
first, rest = calls.iloc[:budget], calls.iloc[budget:]
found = first["at_stake"].sum() / calls["at_stake"].sum()
figure, (left, right) = canvas(
    f"{budget} calls reach {found:.0%} of the {short(calls['at_stake'].sum())} {currency} at stake",
    "Orange: to be called. At stake: probability of leaving × expected value", (1.25, 1),
)  # fmt: skip
for part, colour, alpha in ((rest, QUIET, 0.35), (first, RULE, 0.9)):
    left.plot(part["churn_probability"], part["value_expected"].clip(lower=1), ".", color=colour,
              alpha=alpha, ms=6, mew=0)  # fmt: skip
border = first["at_stake"].iloc[-1]
along = np.linspace(0.01, calls["churn_probability"].max(), 100)
left.plot(along, border / along, color=RULE, lw=1.2, ls=(0, (4, 3)))
left.set_yscale("log")
left.set(xlabel="probability of leaving", ylabel=f"expected value, {currency}")
left.set_ylim(max(1.0, calls["value_expected"].quantile(0.02)), calls["value_expected"].max() * 1.6)
percent(left, "x")
money(left, "y")
heading(left, "Every customer who can leave")
for column, colour, label in (
    ("at_stake", RULE, "by money at stake"),
    ("churn_probability", CASE, "by probability"),
    ("value_expected", MODEL, "by value"),
):
    reached = (
        calls.sort_values(column, ascending=False)["at_stake"].cumsum() / calls["at_stake"].sum()
    )
    right.plot(np.arange(1, len(calls) + 1), reached, color=colour, lw=2.2, label=label)
right.axvline(budget, color=QUIET, lw=1)
right.set(xlim=(0, min(len(calls), 12 * budget)), ylim=(0, 1.02), xlabel="calls",
          ylabel="share of the money at stake")  # fmt: skip
percent(right, "y")
heading(right, "In which order to call")
legend(right, "lower right")
figure

# %%
columns = ["customer_id", "at_stake", "churn_probability", "value_expected", "value_segment"]
calls[columns + [c for c in ("satisfaction_score", "nps_class") if c in calls]].head(10).round(3)

# %% [markdown]
# ## What to say: the reasons
#
# For each prediction the model can say which features moved it, compared with the average customer.
# The parts add up to the score exactly (TreeSHAP; for a probability on the scale of log odds). A
# reason is where the *model* looks. It is the opening of a conversation, not a proof of the cause.

# %%
CUSTOMER = str(calls["customer_id"].iloc[0])
scorer = CompanyScorer(company, workspace)
(answer,) = scorer.score_ids([CUSTOMER], None, reasons=8).scores

explained = [t for t in ("churn", "satisfaction") if t in answer.reasons]
summary = calls.iloc[0]
figure, axes = tiles(
    f"{CUSTOMER}: {summary['churn_probability']:.0%} likely to leave, "
    f"{summary['value_expected']:,.0f} {currency} expected",
    "Effect of each factor in points of the score", len(explained), 1, height=2.9,
)  # fmt: skip
sides = {
    "churn": (("stays", MODEL), ("leaves", CASE)),
    "satisfaction": (("discontent", CASE), ("content", MODEL)),
}
for axis, target in zip(axes, explained, strict=True):
    told = [(r.text.rsplit(": ", 1)[0], r.effect) for r in answer.reasons[target]]
    reason_bars(axis, told, *sides[target])
    heading(axis, target)
figure

# %% [markdown]
# ## Ask the service
#
# `goodwill serve` answers the same over HTTP. Here it is started for a moment on a free port, asked for
# the customers at the top of the list, for one that does not exist, and stopped again.

# %%
asked = calls["customer_id"].head(100).astype(str).tolist()
launch = LaunchOptions(
    company.path, workspace, workers=1, output=workspace.mlruns / "logs" / "notebook.log"
)
took = []
with (
    running_service(launch) as server,
    Client(server.url) as goodwill,
):
    rows = goodwill.scores([*asked, "nobody"], reasons=1)
    for customer in asked:
        begun = time.perf_counter()
        goodwill.scores([customer], reasons=3)
        took.append(1000 * (time.perf_counter() - begun))
    models = {model["target"]: model["version"] for model in goodwill.models()}
print(f"{len(asked) + 1} asked for, {len(rows)} known; versions {models}")
rows[0]

# %% [markdown]
# The answer must equal the file: same features, same models, same code. Not nearly: exactly.

# %%
served = pd.DataFrame(
    {
        "customer_id": row["customer_id"],
        **{f"{t}_{n}": v for t, outputs in row["predictions"].items() for n, v in outputs.items()},
    }
    for row in rows
).set_index("customer_id")
filed = scores.set_index("customer_id").loc[served.index, served.columns]
served, filed = (  # curves as tuples, which can be compared whole
    table.map(lambda v: tuple(v) if isinstance(v, list | np.ndarray) else v)
    for table in (served, filed)
)
numbers = served.select_dtypes("float").columns
gap = float(np.abs(served[numbers] - filed[numbers]).max().max())
words_equal = bool((served.drop(columns=numbers) == filed.drop(columns=numbers)).all().all())
print(f"largest difference: {gap}; classes, segments and flags equal: {words_equal}")

figure, (left, right) = canvas(
    f"{len(served)} customers, {len(served.columns)} outputs: the largest difference is {gap:g}",
    f"One customer with three reasons each: {np.median(took):.1f} ms in the middle, "
    f"{np.quantile(took, 0.95):.1f} ms for one in twenty", (1, 1),
)  # fmt: skip
for name, colour in (("churn_probability", CASE), ("nps_promoter", ACTUAL)):
    if name in served:
        left.plot(filed[name], served[name], "o", ms=5, mew=0, alpha=0.6, color=colour, label=name)
left.plot([0, 1], [0, 1], color=QUIET, lw=1, ls=(0, (4, 3)))
left.set(xlabel="in the scores file", ylabel="over HTTP", xlim=(0, 1), ylim=(0, 1))
percent(left, "xy")
heading(left, "The same twice")
legend(left, "upper left")
right.hist(np.clip(took, 0, np.quantile(took, 0.98)), bins=30, color=MODEL, alpha=0.85)
right.set(xlabel="milliseconds", ylabel="calls", xlim=(0, None))
heading(right, "How long a call takes")
figure

# %% [markdown]
# ## What to remember
#
# - Who is in the population decides whom a score is about.
# - Call by money at stake; the order by probability alone wastes calls on small customers.
# - Reasons say where the model looks; the customer says why.
# - File and service cannot disagree, because there is one way to make features and one to predict.
