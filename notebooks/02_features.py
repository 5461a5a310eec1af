# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 · Features: what was known at the cutoff
#
# A feature describes one customer's past: *how many orders in the last 90 days?* It is computed
# **as of a cutoff** `c`, a point in time, and uses only what was known before `c`.
#
# Training computes features at many past cutoffs, where the outcome is known. The nightly run
# computes them at the end of the data, and the service at the time of the request. All three use
# the same code.

# %%
# %matplotlib inline
import inspect
import os
from textwrap import fill

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from bars import bars, heading, tiles
from figures import show
from IPython.display import Code
from lives import customer_records, delayed_records, pick_customer
from start import open_company, open_tables
from timelines import plot_customer, plot_delays, plot_windows

from features.definitions.feature_registry import REGISTRY, feature
from features.families import orders
from features.feature_table import feature_table, plan_for
from features.history.build_history import build_history
from features.history_store import Manifest
from features.truncation_check import find_leaking_features, truncate
from models.evaluation.calibration_error import wilson_interval
from models.evaluation.metrics import roc_auc
from models.plots.style import (
    MODEL,
    RULE,
    canvas,
    cut_middle,
    decile_bins,
    legend,
    money,
    percent,
)

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = open_company(COMPANY, upto="features")
manifest = Manifest.read(workspace, company.name)
sql = open_tables(workspace, company)
horizon = company.target("churn").horizon_days

# %% [markdown]
# ## One customer's records
#
# The example is a customer with a record that had happened before the cutoff but was *not yet
# known*, such as a return recorded late. If the company has contracts, it is a customer who cancels
# within the horizon.

# %%
CUSTOMER, CUTOFF = pick_customer(sql, manifest, horizon)
records = customer_records(sql, list(manifest.rows), CUSTOMER)
lanes = list(records.groupby("lane")["moment"].min().sort_values().index)
known = int((records["known"] < CUTOFF).sum())
show(
    plot_customer(
        records, lanes, CUTOFF, horizon,
        f"{CUSTOMER}: {len(records)} records, {known} of them known on {CUTOFF:%d %B %Y}",
    ),
    f"Timeline with one row for each kind of record ({', '.join(lanes)}), one dot for each record; a "
    f"line marks the cutoff, a shaded area the label window of {horizon} days after it",
)  # fmt: skip

# %% [markdown]
# The shaded area is the **label window**: the `horizon` days after the cutoff (a `gap` may lie
# between, for a company that needs time to act). Features use what lies left of the line, the label
# what lies right of it.
#
# ## What the cutoff hides
#
# Leaving out what happened after the cutoff is not enough. Some of what happened *before* it was
# not known yet: a return that was not recorded, a ticket without a reply, an invitation without an
# answer. Orange bars cross the cutoff.

# %%
delays = delayed_records(sql, list(manifest.rows), CUSTOMER, CUTOFF)
crossing = int(((delays["start"] < CUTOFF) & (delays["known"] >= CUTOFF)).sum())
show(
    plot_delays(
        delays,
        CUTOFF,
        f"{crossing} of {len(delays)} records had started before the cutoff and were not known yet",
    ),
    "Timeline of the records around the cutoff that were known later than they started, one row each",
)

# %% [markdown]
# ## Declaring a feature
#
# A feature is a function. Its name is the column name, its docstring the meaning; its unit is
# declared. `past` is one customer's history before the cutoff. The function does not compute
# values: it *describes* the computation, and the engine runs it for all customers and cutoffs in
# one pass. A feature therefore cannot read anything after the cutoff, even by mistake.

# %%
Code(inspect.getsource(orders.orders) + "\n\n" + inspect.getsource(orders.order_overdue),
     language="python")  # fmt: skip

# %% [markdown]
# `windows` makes one column per length. Each window ends at the cutoff and excludes it:
# `[cutoff - days, cutoff)`.

# %%
folder = workspace.history(company.name)
tables = {name: pq.read_table(folder / f"{name}.parquet") for name in manifest.rows}
history = build_history(tables)
all_ids = pa.array(history.customer_ids, pa.string())


def microseconds(moment: pd.Timestamp) -> int:
    """A time in UTC as microseconds since 1970, the unit of cutoffs."""
    return int(moment.tz_localize("UTC").timestamp()) * 1_000_000


def features_at(moment: pd.Timestamp, plan, customers: pa.Array = all_ids, past=history):
    """Features of the customers as of one cutoff."""
    return feature_table(past, customers, np.full(len(customers), microseconds(moment)), plan)


plan = plan_for(manifest.schema)
example = features_at(CUTOFF, plan, pa.array([CUSTOMER])).to_pandas().iloc[0]
kind = "orders"
lengths = [d for d in (30, 90, 180, 365) if f"{kind}_{d}d" in plan.names]
counts = {d: example[f"{kind}_{d}d"] for d in lengths}
shortest, longest = counts[lengths[0]], counts[lengths[-1]]
show(
    plot_windows(
        records[records["lane"] == "order"], CUTOFF, counts, "all orders",
        f"Orders: {shortest:.0f} in {lengths[0]} days, {longest:.0f} in {lengths[-1]}",
    ),
    "Timeline of the customer's orders: all of them in the first row, then those within each window "
    f"before the cutoff ({', '.join(map(str, lengths))} days), with their number",
)  # fmt: skip

# %% [markdown]
# ## All features of all customers
#
# A company gets the features that its tables allow; nothing needs to be configured. Here are the
# number of features by family, and some of this customer's values with meaning and unit:

# %%
family = {name: f.build.__module__.split(".")[-1] for name, f in REGISTRY.items()}
made = pd.DataFrame(
    [(c.name, c.meaning, c.unit, example[c.name]) for c in plan.columns],
    columns=["column", "meaning", "unit", f"{CUSTOMER} at the cutoff"],
).set_index("column")
families = pd.Series(family).value_counts()
print(f"{len(REGISTRY)} features declared, {len(made)} columns for {company.name}; by family:")
print(", ".join(f"{name.replace('_', ' ')} {number}" for name, number in families.items()))
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
    f"As of {CUTOFF:%d %B %Y}. Empty: nothing to measure, which the trees distinguish from zero",
    len(shown), height=2.1,
)  # fmt: skip
for axis, name in zip(axes, shown, strict=True):
    values = table[name].dropna()
    top = float(values.quantile(0.98))
    axis.hist(values.clip(upper=top), bins=30, color=MODEL, alpha=0.8)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    heading(axis, fill(meanings[name].meaning, 34, max_lines=2))
    unit = meanings[name].unit
    if unit == "money":
        money(axis, "x")
        unit = company.info.currency
    axis.set_xlabel(f"{unit}; {table[name].isna().mean():.0%} empty")
    if not np.isnan(value := example[name]):
        axis.axvline(min(value, top), color=RULE, lw=2)
show(
    figure,
    "One histogram over all customers for each of these features: "
    f"{'; '.join(meanings[name].meaning for name in shown)}. A line marks the example customer",
)

# %% [markdown]
# The orange line is the example customer.
#
# ## Adding a feature
#
# `payment_overdue` is the mean number of days by which payments were late; early payments count as
# 0. But *how early* a customer pays may be informative, too. A new feature takes one cell:


# %%
@feature(unit="days", windows=(90, 365))
def payment_lateness(past):
    """Mean days from the due date to the payment (early: negative) in the last {window} days"""
    return past.events.where(kind="payment").mean("lateness_days")


ADDED, EXISTING = "payment_lateness_365d", "payment_overdue_365d"
if ADDED not in plan_for(manifest.schema).names:  # the company has no due dates

    @feature(unit="ratio", windows=(30, 90))
    def order_pace(past):
        """Orders in the last {window} days, divided by the usual number in that many days"""
        orders = past.events.where(kind="order")
        return orders.count() / (orders.within(365).count() * ((past.window or 365) / 365))

    ADDED, EXISTING = "order_pace_90d", "days_since_order"

print(
    "new columns:", [c.name for c in plan_for(manifest.schema).columns if c.name not in plan.names]
)

# %% [markdown]
# The registry contains it immediately. Is it useful? Compute it at the cutoffs of the churn
# training set, for the same customers, and compare it with the label. (Run the cell above again
# after a change; the new definition replaces the old one.)

# %%
labelled = pq.read_table(workspace.features(company.name) / "churn.parquet",
                         columns=["customer_id", "cutoff", "label"])  # fmt: skip
cutoffs = labelled["cutoff"].combine_chunks().view(pa.int64()).to_numpy()
pair = feature_table(history, labelled["customer_id"].combine_chunks(), cutoffs,
                     plan_for(manifest.schema, (ADDED, EXISTING))).to_pandas()  # fmt: skip
churned = labelled["label"].to_numpy()


def column_auc(name: str) -> float:
    """ROC AUC for churn of one column, 0.5 to 1, whatever the direction."""
    given = pair[name].notna().to_numpy()
    area = roc_auc(churned[given], pair[name].to_numpy()[given])
    return max(area, 1 - area)


figure, (left, right) = canvas(
    f"ROC AUC for churn: {ADDED} {column_auc(ADDED):.2f}, {EXISTING} {column_auc(EXISTING):.2f}",
    f"Each column by itself; {len(pair):,} rows (customer and cutoff)", (1, 1.1),
)  # fmt: skip
low, high = pair[ADDED].quantile([0.01, 0.99])
steps = np.linspace(low, high, 40)
for label, colour, name in ((0, MODEL, "stayed"), (1, RULE, "left")):
    values = pair[ADDED][churned == label].clip(low, high).dropna()
    left.hist(values, steps, weights=np.full(len(values), 1 / len(values)), color=colour, alpha=0.3)
    left.hist(values, steps, weights=np.full(len(values), 1 / len(values)), histtype="step",
              color=colour, lw=1.8, label=name)  # fmt: skip
added = plan_for(manifest.schema, (ADDED,)).columns[0]
left.set(xlabel=f"{ADDED}, {added.unit}", ylabel="share of the group")
percent(left, "y")
heading(left, "The new feature, by outcome")
left.set_ylim(0, 1.15 * left.get_ylim()[1])
legend(left, "upper right")
for name, colour, mark in ((ADDED, MODEL, "o"), (EXISTING, RULE, "s")):
    given = pair[name].notna().to_numpy()
    bins = decile_bins(pair[name].to_numpy()[given], np.ones(given.sum()))
    share = pd.Series(churned[given]).groupby(bins).agg(["mean", "size"])
    below, above = wilson_interval(share["mean"].to_numpy(), share["size"].to_numpy())
    spread = np.maximum([share["mean"] - below, above - share["mean"]], 0)
    right.errorbar(share.index + 1, share["mean"], spread, fmt=f"{mark}-", color=colour, ms=5.5,
                   capsize=2.5, label=name)  # fmt: skip
right.set(xlabel="decile of the value, lowest first", ylim=(0, None))
right.set_ylabel(f"share who left within {horizon} days")
right.set_xticks(range(1, 11))
percent(right, "y")
heading(right, "Churn rate by decile")
legend(right, "upper left")
show(
    figure,
    f"Left: two histograms of {ADDED}, customers who stayed and who left. Right: lines with 95% "
    f"intervals, churn rate by decile of {ADDED} and of {EXISTING}",
)

# %% [markdown]
# Whether it improves the *model* is another question, because other columns may contain the same
# information. [03_models](03_models.ipynb) tests that; so does a single call,
# `models.pipeline.try_features.try_features(company, workspace, "churn")`. To add a useful feature
# to the product, move it unchanged to `src/features/families/orders.py`; nothing else has to be
# changed.
#
# ## Testing for look-ahead: truncate the history
#
# If features use only what was known before the cutoff, they must have the same values, bit for
# bit, when everything later is **deleted** from the history. The tests check this for each feature;
# `find_leaking_features` returns the columns that differ:

# %%
full_plan = plan_for(manifest.schema)
found = find_leaking_features(tables, all_ids, [microseconds(CUTOFF)], full_plan)
truncated = truncate(tables, microseconds(CUTOFF))
deleted = {name: tables[name].num_rows - truncated[name].num_rows for name in tables}
print("rows deleted:", ", ".join(f"{name} {number:,}" for name, number in deleted.items()))
print(
    f"{len(full_plan.names)} columns, {len(all_ids):,} customers; columns that differ: {found or 'none'}"
)

# %% [markdown]
# For comparison, a common mistake: filter the complete tables by the time when *events happened*.
# Events of the last days that were recorded late are then included, although they were not known
# yet.

# %%
as_happened = tables["events"].drop_columns(
    ["known_at"]
)  # as if events were known when they happened
naive = {**tables, "events": as_happened}
correct = features_at(CUTOFF, full_plan).to_pandas()
with_lookahead = features_at(CUTOFF, full_plan, past=build_history(naive)).to_pandas()
differ = {
    c: ((correct[c] != with_lookahead[c]) & ~(correct[c].isna() & with_lookahead[c].isna())).mean()
    for c in full_plan.names
    if pd.api.types.is_float_dtype(correct[c])
}
wrong = pd.Series(differ).sort_values(ascending=False)
figure, (axis,) = canvas(
    f"Filtering by event time gives {(wrong > 0).sum()} of {len(full_plan.names)} columns "
    "values from after the cutoff",
    f"Share of customers whose value differs from the correct one as of {CUTOFF:%d %B %Y}",
    (1,), (9.6, 5.2),
)  # fmt: skip
meaning = {c.name: cut_middle(c.meaning, 62) for c in full_plan.columns}
bars(axis, [meaning[name] for name in wrong.index[:14]], list(wrong[:14]),
     "share of customers with another value", "{:.1%}")  # fmt: skip
percent(axis, "x")
show(
    figure,
    "Bars: the 14 columns with the most wrong values, share of customers whose value differs",
)

# %% [markdown]
# Only a few customers in a thousand are affected, but they are those to whom something has just
# happened. With a system that records events once a month instead of within days, nearly all
# customers would be affected.
#
# ## Summary
#
# - Compute each feature as of a cutoff, from what was *known before* it.
# - A missing value means that there is nothing to measure. It is not zero.
# - Test features by truncating the history: a value that changes is leakage.

# %% [markdown]
# ## Exercise 1: Declare a feature and compute it
#
# Declare `return_rate`: returns per order in the last 180 and 365 days. Compute both columns for all
# customers as of `CUTOFF`. For how many customers are they empty, and why?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# @feature(unit="ratio", windows=(180, 365))
# def return_rate(past):
#     """Returns per order in the last {window} days"""
#     return past.events.where(kind="return").count() / past.events.where(kind="order").count()
#
#
# columns = ("return_rate_180d", "return_rate_365d")
# own = plan_for(manifest.schema, columns)
# rates = features_at(CUTOFF, own).to_pandas()
# rates = rates[[*columns]].set_axis([c.meaning for c in own.columns], axis=1)
# pd.DataFrame({"share of customers, empty": rates.isna().mean(), "mean of the others": rates.mean()})
# ```
#
# A customer without an order in the window has no rate: there is nothing to divide by. Empty is not
# zero, and the trees treat it as a value of its own.
#
# </details>

# %% [markdown]
# ## Exercise 2: What does a week change?
#
# Compute all columns of the example customer as of `CUTOFF` and as of seven days later. Which columns
# changed, and which of them would a system miss that computes features once a week?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# moments = (CUTOFF, CUTOFF + pd.Timedelta(days=7))
# then, later = (features_at(m, plan, pa.array([CUSTOMER])).to_pandas().iloc[0] for m in moments)
# same = (then == later) | (then.isna() & later.isna())
# changed = [name for name in plan.names if not same[name]]
# print(f"{len(changed)} of {len(plan.names)} columns changed; the first twelve:")
# table = pd.DataFrame({f"{m:%d %B}": values[changed] for m, values in zip(moments, (then, later))})
# table.set_axis([meanings[name].meaning for name in changed]).head(12)
# ```
#
# Days since something change each day by themselves. The others changed because something happened, or
# because something that had happened became known.
#
# </details>
