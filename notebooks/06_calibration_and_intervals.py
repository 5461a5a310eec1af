# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 6 · Calibration and intervals: can one calculate with it?
#
# A call list needs the right **order**. A budget needs the right **size**: if 200 customers are given
# 30 %, 60 of them should leave; if nine of ten values are promised to lie in a range, nine of ten
# should. This notebook asks the serving models about customers later than those they learnt from, and
# always holds beside the answer what **chance alone** would show.

# %%
# %matplotlib inline
import json
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before LightGBM: waiting threads sleep

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from bars import bars, dots, heading, tiles
from IPython.display import display
from start import begin

from features.history_store import Manifest
from models.bundles.champions import load_champions
from models.evaluation.calibration_error import calibration_error
from models.learners.survival_curve import MONTHS, kaplan_meier
from models.plots.ranking_curves import reliability
from models.plots.style import ACTUAL, CASE, MODEL, QUIET, RULE, canvas, legend, percent
from models.training.survival import measure_tenure
from models.training_set.splits import microseconds
from models.validation.holdout_evaluation import evaluate_on_test_rows

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = begin(COMPANY, upto="score")
manifest = Manifest.read(workspace, company.name)
bundles, missing = load_champions(workspace.serving(company.name))
asked = {
    target: evaluate_on_test_rows(bundle, company, workspace) for target, bundle in bundles.items()
}
for target, one in asked.items():
    print(f"{target:13} version {bundles[target].version}: {len(one.actual):,} test rows")
for target, why in missing.items():
    print(f"{target:13} {why}")

# %% [markdown]
# ## Is 30 % really 30 %?
#
# Blue: as served. Orange: what the trees said before their calibration. The whiskers are 95 % intervals
# of the observed share; a dot whose whisker meets the dashed line is as right as so few rows can show.
# The correction is a smooth curve with two numbers, so that no two customers are tied by it.

# %%
probabilities = {t: one for t, one in asked.items() if one.error}
first = "churn" if "churn" in probabilities else next(iter(probabilities))
one = probabilities[first]
before = bundles[first].estimator.predict(one.rows.features)
y, said, raw = one.rows.label, one.predictions, before
if said.ndim == 2:  # of several classes, the last
    y, said, raw = (y == said.shape[1] - 1).astype(float), said[:, -1], raw[:, -1]
reliability(y, said, raw, one.rows.weight, rival="uncalibrated model")

# %% [markdown]
# Of several classes, each is asked for itself: of those given 40 % to be a promoter, how many are?

# %%
panels = [(t, name, bins) for t, one in probabilities.items() for name, bins in one.bins().items()]
figure, axes = tiles(
    f"{len(panels)} probabilities, each in tenths of the rows",
    "Predicted (right) and observed (up), with 95 % intervals; on the dashed line both agree",
    len(panels), columns=3, height=2.1,
)  # fmt: skip
for axis, (target, name, bins) in zip(axes, panels, strict=True):
    table = pd.DataFrame(bins)
    spread = [
        (table["observed"] - table["low"]).clip(0),
        (table["high"] - table["observed"]).clip(0),
    ]
    axis.errorbar(table["predicted"], table["observed"], spread, color=MODEL, fmt="o", ms=4,
                  elinewidth=1.2, capsize=2)  # fmt: skip
    edge = 1.05 * max(table["predicted"].max(), table["high"].max())
    axis.plot([0, edge], [0, edge], color=QUIET, lw=1, ls=(0, (4, 3)), zorder=1)
    axis.set(xlim=(0, edge), ylim=(0, edge))
    percent(axis, "xy")
    heading(axis, f"{target}: {name}")
figure

# %% [markdown]
# ## What chance alone would show
#
# The **calibration error** is the mean gap between predicted and observed share. It is never zero: draw
# outcomes from the probabilities themselves, as if each were exactly right, and the dots scatter around
# the line all the same. The grey bar ends where 95 of 100 such perfect models end. An error inside it is
# nothing to mend; a study of 500 rows that reports "3 points off" may have found nothing at all.
#
# A correction is learnt only where it helps on rows held out; **identity** means that it did not, and
# both marks are the same.

# %%
errors = {t: one.error for t, one in probabilities.items()}
plain = {
    t: calibration_error(one.rows.label, bundles[t].estimator.predict(one.rows.features),
                         one.rows.weight)
    for t, one in probabilities.items()
}  # fmt: skip
beyond = [t for t, e in errors.items() if e.beyond_chance]
figure, (axis,) = canvas(
    f"Beyond chance: {', '.join(beyond)}" if beyond else "No error is larger than chance explains",
    "Mean gap between predicted and observed share; grey: perfect models on as many rows", (1,),
    (9.6, 1.9 + 0.5 * len(errors)),
)  # fmt: skip
for place, (target, error) in enumerate(errors.items()):
    axis.barh(place, error.chance_high, 0.5, color="#D5DAE0", zorder=0)
    axis.plot([error.chance] * 2, [place - 0.25, place + 0.25], color=QUIET, lw=2)
    axis.plot(plain[target].error, place, "s", color=RULE, ms=13, mfc="none", mew=1.6,
              label="" if place else "uncalibrated")  # fmt: skip
    axis.plot(
        error.error, place, "o", color=MODEL, ms=9, mec="white", label="" if place else "served"
    )
how = {t: bundles[t].calibrator.method for t in errors}
axis.set_yticks(range(len(errors)), [f"{t} ({e.rows:,} rows; {how[t]})" for t, e in errors.items()])
axis.set(ylim=(len(errors) - 0.5, -0.5), xlim=(0, None))
axis.grid(visible=False, axis="y")
percent(axis, "x")
legend(axis, "upper right")
figure

# %% [markdown]
# ## Within segments
#
# Right on average may mean too high in the north and too low in the south. Every group with 500 rows or
# more is asked for itself. One perfect group in twenty lies beyond its bar, so a single one says little;
# several that belong together say where to look.

# %%
segments = [(t, s) for t, one in probabilities.items() for s in one.segments]
segments.sort(key=lambda pair: pair[1].error / pair[1].chance_high, reverse=True)
outside = sum(s.beyond_chance for _, s in segments)
shown = segments[:14]
figure, (axis,) = canvas(
    f"{outside} of {len(segments)} groups are off beyond chance, where luck makes "
    f"{len(segments) / 20:.1f}" if segments else "No group has 500 test rows",
    f"The {len(shown)} furthest off; grey: 95 of 100 perfect models", (1,),
    (9.6, 1.9 + 0.3 * max(1, len(shown))),
)  # fmt: skip
for place, (_, segment) in enumerate(shown):
    axis.barh(place, segment.chance_high, 0.6, color="#D5DAE0", zorder=0)
    axis.plot(segment.error, place, "o", ms=8, mec="white",
              color=RULE if segment.beyond_chance else MODEL)  # fmt: skip
axis.set_yticks(range(len(shown)), [f"{t} · {s.name} ({s.rows:,})" for t, s in shown])
axis.set(ylim=(max(1, len(shown)) - 0.5, -0.5), xlim=(0, None))
axis.grid(visible=False, axis="y")
percent(axis, "x")
figure

# %% [markdown]
# ## Ranges: do nine of ten lie inside?
#
# A range is learnt in groups of customers alike (by prediction, level and history), from predictions for
# customers the trees had not seen. It should hold nine of ten in *every* group one cares about, not only
# on average. It never splits hairs: where nearly everybody spends nothing, it is "nothing", and holds
# more than nine of ten.

# %%
ranged = {t: one for t, one in asked.items() if one.coverage}
lines = []
for target, one in ranged.items():
    lines.append((f"{target}: all", one.coverage))
    kinds = one.outputs.get("segment")
    for name in [] if kinds is None else pd.unique(kinds):
        lines.append((f"{target}: {name}", one.coverage_of(kinds == name, name)))
    few = sorted(one.coverage_by_segment, key=lambda s: abs(s.share - 0.9), reverse=True)[:5]
    lines += [(f"{target}, {s.name}", s) for s in few]
figure, (axis,) = canvas(
    "; ".join(f"{t}: {one.coverage.share:.1%} lie in their range" for t, one in ranged.items())
    or "No target has ranges",
    "Share of outcomes inside, with 95 % intervals: all, by value segment, the five groups furthest off",
    (1,), (9.6, 1.9 + 0.28 * max(1, len(lines))),
)  # fmt: skip
dots(
    axis,
    [f"{name} ({c.rows:,})" for name, c in lines],
    [(c.share, c.low, c.high) for _, c in lines],
)
axis.axvline(0.9, color=QUIET, lw=1, ls=(0, (4, 3)))
percent(axis, "x")
figure

# %% [markdown]
# A range is as wide as the customer is unknown. About a newcomer little can be promised, and the width
# says so; compare it in multiples of what each is used to spending.

# %%
pd.DataFrame(
    [(n, c.rows, f"{c.share:.1%}", f"{c.below:.1%}", f"{c.above:.1%}", f"{c.width:,.0f}")
     for n, c in lines],
    columns=["group", "rows", "inside", "below", "above", "median width"],
)  # fmt: skip

# %%
if "value" in ranged:
    one, bundle = ranged["value"], bundles["value"]
    features = one.rows.features
    column = "tenure_days" if "tenure_days" in features.column_names else "orders_all"
    history = features[column].to_numpy()
    width = (one.outputs["high"] - one.outputs["low"]) / bundle.spend.usual(features)
    edges = np.unique(np.nanquantile(history, np.linspace(0, 1, 9)))
    place = np.clip(np.searchsorted(edges, history, side="right") - 1, 0, max(len(edges) - 2, 0))
    found = pd.DataFrame({"place": place, "history": history, "width": width}).dropna()
    found = found.groupby("place").agg(
        history=("history", "median"), low=("width", lambda w: w.quantile(0.25)),
        middle=("width", "median"), high=("width", lambda w: w.quantile(0.75)),
    )  # fmt: skip
    figure, (axis,) = canvas(
        f"From {found['middle'].iloc[0]:.1f} to {found['middle'].iloc[-1]:.1f} times the usual spend",
        f"Median width of the range of value, and half of the customers, by {column}", (1,), (9.6, 3.4),
    )  # fmt: skip
    axis.fill_between(found["history"], found["low"], found["high"], color=MODEL, alpha=0.18, lw=0)
    axis.plot(found["history"], found["middle"], "o-", color=MODEL, lw=2)
    axis.set(xlabel=column, ylabel="width / usual spend", ylim=(0, None))
    display(figure)

# %% [markdown]
# ## Whom a model should not judge
#
# Trees answer for anybody. Where a customer's record lies outside everything training has seen, in
# columns the model relies on, the scores say `abstain`: the number is a guess. Which columns make
# customers of the test strange?

# %%
strange = {}
for target, one in asked.items():
    bundle, unlike = bundles[target], one.outputs["abstain"]
    matrix = bundle.estimator.encoder.encode(one.rows.features)[unlike]
    with np.errstate(invalid="ignore"):
        out = (matrix < np.array(bundle.support.low)) | (matrix > np.array(bundle.support.high))
    weighed = (
        out.mean(axis=0) * np.array(bundle.support.share) if len(out) else np.zeros(out.shape[1])
    )
    for k in np.argsort(-weighed)[:3]:
        if weighed[k] > 0:
            strange[f"{target}: {bundle.support.columns[k]}"] = out[:, k].mean()
most = max(asked, key=lambda t: asked[t].abstain_share)
figure, (left, right) = canvas(
    f"At most {asked[most].abstain_share:.1%} of the test rows are unlike anybody seen ({most})",
    "Left: share of test rows abstained from. Right: of those, out of training's range in", (1, 1.3),
    (9.6, 3.4),
)  # fmt: skip
bars(left, list(asked), [one.abstain_share for one in asked.values()], "{:.1%}")
bars(right, list(strange) or ["nothing"], list(strange.values()) or [0.0], "{:.0%}")
percent(left, "x")
percent(right, "x")
figure

# %% [markdown]
# ## When they leave
#
# A churn probability says *whether* within the horizon; the **survival curve** says *when* within a
# year. It meets the probability exactly, by construction. Left: a safe, a middling and an endangered
# customer. Right: the mean of all curves beside what happened (Kaplan and Meier), as far as the data
# reach.

# %%
if "churn" in asked and bundles["churn"].manifest.survival:
    one, months = asked["churn"], np.arange(MONTHS + 1)
    curves = one.outputs["survival"]
    order = np.argsort(one.predictions)
    figure, (left, right) = canvas(
        f"After a year {curves[:, -1].mean():.0%} are expected to be there still",
        "Chance of still being there, by months after the cutoff", (1, 1), (9.6, 4.2),
    )  # fmt: skip
    for share, colour in ((0.05, ACTUAL), (0.5, MODEL), (0.98, RULE)):
        row = order[int(share * (len(order) - 1))]
        stay = one.outputs["months_left"][row]
        left.plot(months, curves[row], "o-", color=colour, ms=4, lw=1.8,
                  label=f"churn {one.predictions[row]:.0%}: {stay:.1f} of 12 months")  # fmt: skip
    path = workspace.features(company.name) / "churn.parquet"
    keys = pq.read_table(path, columns=["customer_id", "cutoff"])
    keys = keys.filter(keys["cutoff"].cast("int64").to_numpy() >= one.rows.cutoff.min())
    stays = measure_tenure(company, workspace, manifest, keys, microseconds(manifest.end))
    right.plot(months, curves.mean(axis=0), "o-", color=MODEL, ms=4, lw=1.8, label="expected")
    right.step(months, kaplan_meier(stays, np.ones(keys.num_rows)), where="post", color=CASE, lw=2,
               label="observed")  # fmt: skip
    for axis, text in ((left, "Three customers"), (right, "Everybody in the test")):
        axis.set(xlabel="months", ylim=(0, 1.02))
        percent(axis, "y")
        heading(axis, text)
        legend(axis, "lower left")
    display(figure)

# %% [markdown]
# ## Do the predictions of one customer agree?
#
# Every target has its own model. Within a target, numbers agree by construction; across targets they can
# contradict each other, and every scoring counts how often they do.

# %%
checks = json.loads((workspace.scores(company.name).parent / "agreement.json").read_text())
pd.DataFrame(checks, columns=["name", "bound", "customers", "contradictions", "share"])

# %% [markdown]
# ## What to remember
#
# - Order is for calling, calibration is for calculating; a monotone correction keeps the order.
# - A calibration error without its chance level says nothing. On 500 rows, perfect models look wrong.
# - Nine of ten on average is easy. Ask group by group.
# - "I do not know this kind of customer" is an answer, too.
