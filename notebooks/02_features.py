# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 · Features: what could have been known at that instant
#
# A feature is a question put to one customer's past: *how many orders in the last 90 days?* It is asked
# **as of a cutoff** `c`, an instant, and its answer may use only what was known before `c`.
#
# Training asks at many cutoffs of the past (there the outcome is known), the nightly run asks at the
# end of the data, the service at the moment of the call. It is one and the same code each time.

# %%
# %matplotlib inline
import inspect
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from bars import bars, heading, tiles
from IPython.display import Code
from lives import pick, records_of, spans_of
from start import begin, open_tables
from timelines import hidden, life, windows

from features.definitions.feature_registry import REGISTRY, feature
from features.families import orders
from features.feature_table import feature_table, plan_for
from features.history.build_history import build_history
from features.history_store import Manifest
from features.lookahead import find_leaking_features, truncate
from models.evaluation.calibration_error import wilson_interval
from models.evaluation.metrics import roc_auc
from models.plots.style import (
    CASE,
    MODEL,
    QUIET,
    RULE,
    canvas,
    decile_bins,
    legend,
    money,
    percent,
)

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = begin(COMPANY, upto="features")
manifest = Manifest.read(workspace, company.name)
sql = open_tables(workspace, company)
horizon = company.target("churn").horizon_days

# %% [markdown]
# ## One customer's life
#
# We pick a customer about whom something was *not yet known* at a cutoff, although it had happened: a
# late booking. If there are contracts, it is one who will cancel within the horizon.

# %%
CUSTOMER, CUTOFF = pick(sql, manifest, horizon)
records = records_of(sql, list(manifest.rows), CUSTOMER)
lanes = list(records.groupby("lane")["moment"].min().sort_values().index)
known = int((records["known"] < CUTOFF).sum())
life(records, lanes, CUTOFF, horizon,
     f"{CUSTOMER}: {len(records)} records in all, {known} known on {CUTOFF:%d %B %Y}")  # fmt: skip

# %% [markdown]
# The shaded stripe is the **label window** of a label at this cutoff: the `horizon` days from the
# cutoff on (a `gap` may lie between, for a company that needs a week to act). Features look left of
# the line, the label looks right of it. Nothing may look across.
#
# ## What the cutoff hides
#
# It is not enough to drop what happened later. Some of what happened *before* the cutoff was not
# known then: a return that had not been entered, a ticket that had not been answered, a question still
# without an answer. Pink bars cross the line.

# %%
spans = spans_of(sql, list(manifest.rows), CUSTOMER, CUTOFF)
crossing = int(((spans["start"] < CUTOFF) & (spans["known"] >= CUTOFF)).sum())
hidden(spans, CUTOFF, f"{crossing} things had begun and were not known yet")

# %% [markdown]
# ## How a feature is declared
#
# A feature is a function; its name is the column, its docstring the meaning, its unit is declared.
# `past` is one customer before the cutoff. The function computes nothing: it *describes*, and the
# engine works the description out for all customers and cutoffs in one pass. So there is no place
# where a feature could look past the cutoff, even by mistake.

# %%
Code(inspect.getsource(orders.orders) + "\n\n" + inspect.getsource(orders.order_overdue),
     language="python")  # fmt: skip

# %% [markdown]
# `windows` makes a column of each length. All of them end at the cutoff, which is not in them:
# `[cutoff - days, cutoff)`.

# %%
folder = workspace.history(company.name)
tables = {name: pq.read_table(folder / f"{name}.parquet") for name in manifest.rows}
history = build_history(tables)
everybody = pa.array(history.customer_ids, pa.string())


def microseconds(moment: pd.Timestamp) -> int:
    """A time in UTC as features count it."""
    return int(moment.tz_localize("UTC").timestamp()) * 1_000_000


def features_at(moment: pd.Timestamp, plan, customers: pa.Array = everybody, past=history):
    """The features of these customers as of one cutoff."""
    return feature_table(past, customers, np.full(len(customers), microseconds(moment)), plan)


plan = plan_for(manifest.schema)
one = features_at(CUTOFF, plan, pa.array([CUSTOMER])).to_pandas().iloc[0]
kind = "orders"
lengths = [d for d in (30, 90, 180, 365) if f"{kind}_{d}d" in plan.names]
counts = {d: one[f"{kind}_{d}d"] for d in lengths}
shortest, longest = counts[lengths[0]], counts[lengths[-1]]
windows(records[records["lane"] == "order"], CUTOFF, counts, "all orders",
        f"Orders: {shortest:.0f} in {lengths[0]} days, {longest:.0f} in {lengths[-1]}")  # fmt: skip

# %% [markdown]
# ## All features of all customers
#
# A company gets the features its tables allow; nothing is configured. Which family they come from,
# and a few of this customer's, with meaning and unit:

# %%
family = {name: f.build.__module__.split(".")[-1] for name, f in REGISTRY.items()}
made = pd.DataFrame(
    [(c.name, c.meaning, c.unit, one[c.name]) for c in plan.columns],
    columns=["column", "meaning", "unit", f"{CUSTOMER} at the cutoff"],
).set_index("column")
print(f"{len(REGISTRY)} features declared, {len(made)} columns for {company.name}; "
      f"by family: {pd.Series(family).value_counts().to_dict()}")  # fmt: skip
made.iloc[:: max(1, len(made) // 14)]

# %%
table = features_at(CUTOFF, plan).to_pandas()
wanted = ["orders_90d", "revenue_365d", "days_since_order", "tenure_days", "late_deliveries_90d"]
wanted += ["payment_overdue_90d", "csat_last", "complaints_365d", "logins_90d", "return_share_365d"]
shown = [w for w in wanted if w in table and table[w].notna().mean() > 0.02][:9]
meanings = {c.name: c for c in plan.columns}
empty = table[list(plan.names)].isna().mean().mean()
figure, axes = tiles(
    f"{len(plan.names)} columns for {len(table):,} customers; {empty:.0%} of the cells are empty",
    f"As of {CUTOFF:%d %B %Y}. Empty means: nothing to measure. It is not zero, and the trees know.",
    len(shown), height=1.9,
)  # fmt: skip
for axis, name in zip(axes, shown, strict=True):
    values = table[name].dropna()
    top = float(values.quantile(0.98))
    axis.hist(values.clip(upper=top), bins=30, color=MODEL, alpha=0.8)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    heading(axis, name)
    if meanings[name].unit == "money":
        money(axis, "x")
    axis.set_xlabel(f"{meanings[name].unit}; {table[name].isna().mean():.0%} empty")
    if not np.isnan(value := one[name]):
        axis.axvline(min(value, top), color=CASE, lw=2)
figure

# %% [markdown]
# The pink line is our customer.
#
# ## Add a feature
#
# `payment_overdue` is the mean number of days a payment came late, where an early payment counts as 0.
# But *how early* somebody pays may tell something, too. A new feature is one cell:


# %%
@feature(unit="days", windows=(90, 365))
def payment_lateness(past):
    """Mean days from the due date to the payment (early: negative) in the last {window} days"""
    return past.events.where(kind="payment").mean("lateness_days")


ADDED, KNOWN = "payment_lateness_365d", "payment_overdue_365d"
if ADDED not in plan_for(manifest.schema).names:  # a company without due dates

    @feature(unit="ratio", windows=(30, 90))
    def order_pace(past):
        """Orders in the last {window} days, over the usual number in so many days"""
        orders = past.events.where(kind="order")
        return orders.count() / (orders.within(365).count() * ((past.window or 365) / 365))

    ADDED, KNOWN = "order_pace_90d", "days_since_order"

print([c.name for c in plan_for(manifest.schema).columns if c.name not in plan.names])

# %% [markdown]
# The registry holds it at once. Is it worth anything? We ask at the cutoffs of the churn training set:
# same customers, same instants, with the label beside. (Run the cell above again after changing it: the
# new definition replaces the old one.)

# %%
labelled = pq.read_table(workspace.features(company.name) / "churn.parquet",
                         columns=["customer_id", "cutoff", "label"])  # fmt: skip
cutoffs = labelled["cutoff"].combine_chunks().view(pa.int64()).to_numpy()
pair = feature_table(history, labelled["customer_id"].combine_chunks(), cutoffs,
                     plan_for(manifest.schema, (ADDED, KNOWN))).to_pandas()  # fmt: skip
left_us = labelled["label"].to_numpy()


def strength(name: str) -> float:
    """How well a column alone tells leavers from stayers, whichever way it points: 0.5 to 1."""
    given = pair[name].notna().to_numpy()
    area = roc_auc(left_us[given], pair[name].to_numpy()[given])
    return max(area, 1 - area)


figure, (left, right) = canvas(
    f"{ADDED} alone ranks {strength(ADDED):.0%} of pairs rightly, {KNOWN} {strength(KNOWN):.0%}",
    f"{len(pair):,} customers and cutoffs; a pair is one who left and one who stayed", (1, 1.1),
)  # fmt: skip
low, high = pair[ADDED].quantile([0.01, 0.99])
steps = np.linspace(low, high, 40)
for label, colour, name in ((0, QUIET, "stayed"), (1, CASE, "left")):
    values = pair[ADDED][left_us == label].clip(low, high).dropna()
    left.hist(values, steps, weights=np.full(len(values), 1 / len(values)), color=colour, alpha=0.3)
    left.hist(values, steps, weights=np.full(len(values), 1 / len(values)), histtype="step",
              color=colour, lw=1.8, label=name)  # fmt: skip
left.set(xlabel=next(c.unit for c in plan_for(manifest.schema, (ADDED,)).columns))
left.set(ylabel="share of the group")
percent(left, "y")
heading(left, ADDED)
legend(left, "upper right")
for name, colour, mark in ((ADDED, MODEL, "o"), (KNOWN, RULE, "s")):
    given = pair[name].notna().to_numpy()
    bins = decile_bins(pair[name].to_numpy()[given], np.ones(given.sum()))
    share = pd.Series(left_us[given]).groupby(bins).agg(["mean", "size"])
    below, above = wilson_interval(share["mean"].to_numpy(), share["size"].to_numpy())
    spread = np.maximum([share["mean"] - below, above - share["mean"]], 0)
    right.errorbar(share.index + 1, share["mean"], spread, fmt=f"{mark}-", color=colour, ms=5.5,
                   capsize=2.5, label=name)  # fmt: skip
right.set(xlabel="tenth of the rows, lowest value first", ylabel="share that left", ylim=(0, None))
right.set_xticks(range(1, 11))
percent(right, "y")
heading(right, "Share that left, by tenth")
legend(right, "upper left")
figure

# %% [markdown] Whether the *model* gets better with it is another question, because it may know the
# same from other columns already: that is tried in [03_models](03_models.ipynb), and in one call,
# `models.pipeline.try_features.try_features(company, workspace, "churn")`. A feature that proves
# itself moves to `src/features/families/orders.py` as it stands; nothing else has to be told.
#
# ## The proof: cut the history, ask again
#
# If features use only what was known before the cutoff, then a history from which everything later has
# been **deleted** must give the same numbers, bit for bit. The tests do this for every feature;
# `leaking` names the columns that differ:

# %%
everything = plan_for(manifest.schema)
found = find_leaking_features(tables, everybody, [microseconds(CUTOFF)], everything)
cut = truncate(tables, microseconds(CUTOFF))
gone = {name: tables[name].num_rows - cut[name].num_rows for name in tables}
print(f"rows deleted: {gone}")
print(
    f"{len(everything.names)} columns, {len(everybody):,} customers; that differ: {found or 'none'}"
)

# %% [markdown]
# Beside it, the usual mistake: take the finished tables and filter by *when things happened*. The late
# bookings of the last days slip in, and with them the most recent, most telling records.

# %%
as_happened = tables["events"].drop_columns(["known_at"])  # as if known when it happened
naive = {**tables, "events": as_happened}
honest = features_at(CUTOFF, everything).to_pandas()
cheat = features_at(CUTOFF, everything, past=build_history(naive)).to_pandas()
differ = {
    c: ((honest[c] != cheat[c]) & ~(honest[c].isna() & cheat[c].isna())).mean()
    for c in everything.names
    if pd.api.types.is_float_dtype(honest[c])
}
wrong = pd.Series(differ).sort_values(ascending=False)
figure, (axis,) = canvas(
    f"Filtering by the time of the event makes {(wrong > 0).sum()} of {len(everything.names)} "
    "columns know the future",
    f"Share of the customers whose value is another than it was on {CUTOFF:%d %B %Y}",
    (1,), (9.6, 5.2),
)  # fmt: skip
bars(axis, list(wrong.index[:14]), list(wrong[:14]), "{:.1%}")
percent(axis, "x")
figure

# %% [markdown]
# A few customers in a thousand look like little. But they are precisely those to whom something has just
# happened; and with a system that books once a month instead of within days, it is everybody.
#
# ## What to remember
#
# - Ask every question as of a cutoff; the answer may use what was *known before* it, nothing else.
# - Empty is an answer: nothing to measure.
# - Do not trust a feature's author, cut the history: what changes, leaks.
