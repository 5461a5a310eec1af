# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5 · Leakage: when a model is too good
#
# Leakage is information that a model uses in training but does not have when it predicts. It causes
# no error message: everything runs, and the metrics look excellent. This notebook adds leakage to
# real data in a way that is common in practice, and shows that the **leakage check** finds it.
#
# The data are from The Complete Journey: purchases of 2,469 households at a US grocer over one
# year. They come with the installation.

# %%
# %matplotlib inline
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from bars import bars, heading
from figures import show
from scipy.stats import spearmanr
from start import open_company

from features.config.company import load_company
from features.errors import LeakFound
from features.feature_table import feature_table, plan_for
from features.history.build_history import build_history
from features.history_store import Manifest
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.settings import Workspace
from features.truncation_check import differing_rows
from models.leakage.check_leakage import check_leakage
from models.leakage.findings import raise_on_leaks
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.plots.style import MODEL, QUIET, RULE, canvas, cut_middle, legend, money, percent
from models.targets.registry import TARGETS
from models.training.train import load_rows, split_rows
from models.training_set.build_training_sets import build_features, read_counts

workspace, company = open_company("data/complete_journey.toml", upto="features")
currency = company.info.currency
horizon = company.target("value").horizon_days


def leak_report(company, workspace):
    """The report of the leakage check on the stored training sets."""
    manifest = Manifest.read(workspace, company.name)
    return check_leakage(
        company, workspace, manifest, read_counts(company, workspace)[0], silent_steps()
    )


# %% [markdown]
# ## Without leakage
#
# Before training, the leakage check looks for ten kinds of leakage. `goodwill train` and
# `goodwill retrain` stop if it has findings; `goodwill leakage` shows what was checked.

# %%
clean = leak_report(company, workspace)
raise_on_leaks(clean)
clean.table().set_index("check")

# %% [markdown]
# ## An honest mistake
#
# A data team has a table of households with their spending so far. It is useful, so it is joined to
# the customers, and because it has no history, it is declared `constant`. But *so far* means until
# today. At a past cutoff, the column also contains what was spent **after** the cutoff.

# %%
home = Path(tempfile.mkdtemp(prefix="goodwill-leak-"))
text = company.path.read_text(encoding="utf-8")
text = text.replace('name = "complete_journey"', 'name = "leaking"', 1)
text = text.replace(
    "left join demographics using (household_id)",
    "left join demographics using (household_id) left join (select household_id, "
    "sum(sales_value) as spent_so_far from transactions group by 1) using (household_id)",
    1,
)
text = text.replace('constant = ["age"', 'constant = ["spent_so_far", "age"', 1)
text = text.replace('age = "age"', 'spent_so_far = "spent_so_far"\nage = "age"', 1)
(home / "data").mkdir()
(home / "data" / "leaking.toml").write_text(text, encoding="utf-8")

leaking_company, leaking_workspace = load_company(home / "data" / "leaking.toml"), Workspace(home)
import_history(leaking_company, leaking_workspace, silent_steps())
build_features(leaking_company, leaking_workspace, silent_steps())
LEAK = "crm_spent_so_far"

# %% [markdown]
# ## The metrics look excellent
#
# The same trees and the same time split, without and with the new column: how well do the
# predictions rank the test households by their spending in the next weeks?

# %%
rows = load_rows(leaking_company, leaking_workspace, "value")
split = split_rows(TARGETS["value"], leaking_company.target("value"), rows)
train, test = rows.take(split.refit), rows.take(split.test)
PARAMS = Params(
    objective="l1", leaves=15, feature_fraction=0.7, max_rounds=120, min_data_in_leaf=40
)


def fit(without=()):
    """Trees fitted to the rows before the test cutoff."""
    return Estimator.fit("regression", LabelledRows(train.features.drop([*without]), train.label), None,
                         PARAMS)  # fmt: skip


def ranking(model, features):
    """Rank correlation of the predictions with the actual spending."""
    return float(spearmanr(model.predict(features), test.label)[0])


plain, leaking = fit(without=[LEAK]), fit()
figures = {
    "without": ranking(plain, test.features),
    "with spent_so_far": ranking(leaking, test.features),
}
figure, (left, right) = canvas(
    f"One more column raises the rank correlation from {figures['without']:.2f} to "
    f"{figures['with spent_so_far']:.2f}",
    f"{len(test.label):,} test households; spending in the {horizon} days after the cutoff", (1, 1.2),
)  # fmt: skip
bars(left, list(figures), list(figures.values()), "rank correlation; 1 is perfect", "{:.3f}")
heading(left, "Predicted and actual order")
gains = pd.Series(leaking.importance()).head(8)
bars(right, list(gains.index), list(gains / gains.sum()), "share of the loss saved", "{:.0%}")
percent(right, "x")
heading(right, "Feature importance with spent_so_far")
show(
    figure,
    "Left: bars, rank correlation of predicted and actual spending without and with spent_so_far. "
    "Right: bars, importance of the eight most important features, crm_spent_so_far first",
)

# %% [markdown]
# ## The improvement is not real
#
# In service, `spent_so_far` contains the spending up to the time of the *prediction*. Its correct
# value at the test cutoff is known: the revenue up to that time. With this value in the column, the
# evaluation shows what would happen in service.

# %%
past = test.features["revenue_all"]
place = test.features.column_names.index(LEAK)
as_it_was = test.features.set_column(place, LEAK, past)
figures["in service"] = ranking(leaking, as_it_was)
error = {
    "without": float(np.abs(plain.predict(test.features) - test.label).mean()),
    "with spent_so_far": float(np.abs(leaking.predict(test.features) - test.label).mean()),
    "in service": float(np.abs(leaking.predict(as_it_was) - test.label).mean()),
}
worse = error["in service"] / error["without"] - 1
figure, (left, right) = canvas(
    f"In service, the error is {worse:.0%} larger than without the column",
    "The same two models; 'in service': the column has its value as of the cutoff", (1, 1),
)  # fmt: skip
bars(left, list(figures), list(figures.values()), "rank correlation; 1 is perfect", "{:.3f}")
heading(left, "Predicted and actual order")
bars(right, list(error), list(error.values()), f"{currency} in {horizon} days", "{:,.0f}")
money(right, "x")
heading(right, "Mean absolute error")
show(
    figure,
    "Bars for the model without the column, with it, and with it in service. Left: rank correlation. "
    "Right: mean absolute error",
)

# %% [markdown]
# ## How leakage can be recognised
#
# Good predictions prove nothing: for a grocer, last year's spending predicts well, too. But after
# removing from the outcome what *all* of the past explains, a legitimate attribute explains little
# of the remainder. This one explains it, because it contains it.

# %%
known, hidden = np.asarray(past), test.features[LEAK].to_numpy()
figure, (left, right) = canvas(
    f"spent_so_far minus past spending is future spending (correlation "
    f"{np.corrcoef(hidden - known, test.label)[0, 1]:.2f})",
    f"{len(test.label):,} households at the test cutoff", (1, 1),
)  # fmt: skip
left.scatter(known, test.label, s=6, color=MODEL, alpha=0.35)
left.set(
    xlabel=f"spending before the cutoff, {currency}",
    ylabel=f"spending in the {horizon} days after, {currency}",
)
heading(left, "Past spending predicts imperfectly")
right.scatter(hidden - known, test.label, s=6, color=RULE, alpha=0.35)
right.set(
    xlabel=f"spent_so_far minus spending before, {currency}",
    ylabel=f"spending in the {horizon} days after, {currency}",
)
heading(right, "The leaking column contains the outcome")
for axis in (left, right):
    money(axis, "xy")
show(
    figure,
    "One dot for each household, spending after the cutoff. Left: by spending before it, a cloud. "
    "Right: by the leaking column minus that spending, a straight line",
)

# %% [markdown]
# The leakage check tests this for each constant attribute, on the latest label windows. It reports
# the column, the figures and the remedy:

# %%
try:
    raise_on_leaks(leak_report(leaking_company, leaking_workspace))
except LeakFound as err:
    print(err)

# %% [markdown]
# ## Leakage in code
#
# A feature declared with `past` cannot read beyond its cutoff. But a training set may be written by
# other code. Suppose that two jobs disagree by a week, and the features are computed as of a week
# **after** the cutoff stored with them:

# %%
path = leaking_workspace.features(leaking_company.name) / "value.parquet"
stored = pq.read_table(path)
week = pd.Timedelta(days=7)
stamps = stored["cutoff"].to_pandas()
later = stored.set_column(1, "cutoff", pa.array(stamps + week, stored.schema.field("cutoff").type))

manifest = Manifest.read(leaking_workspace, leaking_company.name)
tables = {
    n: pq.read_table(leaking_workspace.history(leaking_company.name) / f"{n}.parquet")
    for n in manifest.rows
}
plan = plan_for(manifest.schema)
moments = later["cutoff"].combine_chunks().view(pa.int64()).to_numpy()
made = feature_table(build_history(tables), stored["customer_id"].combine_chunks(), moments, plan)
changed = pd.Series({n: differing_rows(made[n], stored[n]).mean() for n in plan.names})
late = stored
for name in plan.names:
    at = late.column_names.index(name)
    late = late.set_column(at, name, pc.cast(made[name], stored.schema.field(name).type))
pq.write_table(late, path)

# %%
order = changed.sort_values(ascending=False)
figure, (axis,) = canvas(
    f"Computed a week too late, {(order > 0).sum()} of {len(order)} columns have other values",
    "Share of training rows whose value differs from the one known at the cutoff",
    (1,), (9.6, 4.6),
)  # fmt: skip
meanings = {c.name: c.meaning for c in plan.columns}
bars(axis, [cut_middle(meanings[name], 62) for name in order.index[:12]],
     list(order[:12]), "share of training rows with another value", "{:.0%}")  # fmt: skip
percent(axis, "x")
show(figure, "Bars: the twelve columns with the most other values, share of the training rows")

# %% [markdown]
# The leakage check recomputes a sample of the stored rows, each from a history that **ends** at its
# cutoff. A value that differs was not computed from the past:

# %%
findings = leak_report(leaking_company, leaking_workspace).findings
for finding in findings:
    print(f"- {finding}\n")

# %%
a_week_later = {n: abs(spearmanr(late[n].to_numpy(), late["label"].to_numpy(), nan_policy="omit")[0])
         for n in ("revenue_30d", "orders_30d", "days_since_order")}  # fmt: skip
before = {n: abs(spearmanr(stored[n].to_numpy(), late["label"].to_numpy(), nan_policy="omit")[0])
          for n in a_week_later}  # fmt: skip
figure, (axis,) = canvas(
    "One week of the future is inconspicuous: each column is only slightly better",
    f"Rank correlation with the spending in the {horizon} days after the cutoff, all training rows",
    (1,), (9.6, 3.6),
)  # fmt: skip
spots = np.arange(len(a_week_later))
axis.barh(spots - 0.18, list(before.values()), 0.34, color=QUIET, label="as of the cutoff")
axis.barh(spots + 0.18, list(a_week_later.values()), 0.34, color=RULE, label="a week later")
axis.set_yticks(spots, [meanings[name] for name in a_week_later])
axis.set_xlabel("rank correlation; 1 is perfect")
axis.set_xlim(0, 1)
axis.invert_yaxis()
legend(axis, "lower right")
show(
    figure,
    "Pairs of bars for three columns: rank correlation with the spending as of the cutoff and a week "
    "later, which is slightly larger",
)

# %% [markdown]
# The metrics of a model would not reveal this error. Recomputing the rows does.
#
# ## Summary
#
# - Leakage improves the test and is absent in service. Be suspicious of very good metrics.
# - A value *as of today* is not *constant*. Without a date of its own, it contains the future of
#   each past cutoff.
# - Recompute training rows from a truncated history, whatever code wrote them.
# - What the check covers, and its limits: [leakage check](../docs/background/leakage-check.md).

# %% [markdown]
# ## Exercise 1: Which features does the leak displace?
#
# The model with `spent_so_far` relies on it. Compare the importance of the other features in the two
# models `plain` and `leaking`: which lose most of their share, and what does that tell a reviewer?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# importance = pd.DataFrame({"without": plain.importance(), "with spent_so_far": leaking.importance()})
# share = (importance / importance.sum()).drop(LEAK)
# share["lost"] = share["without"] - share["with spent_so_far"].fillna(0)
# share = share.nlargest(6, "lost").map("{:.0%}".format)
# share.rename(index=meanings, columns={"lost": "share lost"})
# ```
#
# The features of past spending lose most. One column that makes the best known predictors superfluous
# is a reason to ask where its values come from and when they are known.
#
# </details>

# %% [markdown]
# ## Exercise 2: How good does a week of the future look?
#
# `late` has the training rows computed a week too late. Take the 30-day revenue, the 30-day orders and
# the days since the last order of the test households from it. How much better does `plain` seem?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# cutoff_of_row = stored["cutoff"].combine_chunks().view(pa.int64()).to_numpy()
# a_week_late = late.filter(pa.array(cutoff_of_row == test.cutoff[0]))
# seen = test.features
# for column in ("revenue_30d", "orders_30d", "days_since_order"):
#     seen = seen.set_column(seen.column_names.index(column), column, a_week_late[column])
# honest, inflated = ranking(plain, test.features), ranking(plain, seen)
# print(f"rank correlation {honest:.3f} with the values of the cutoff, {inflated:.3f} with later ones")
# ```
#
# The gain is small and looks like an improvement of the model. Only recomputing the rows from the past
# shows that it is not one.
#
# </details>
