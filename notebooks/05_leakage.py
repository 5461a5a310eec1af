# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5 · Leakage: a model that is too good
#
# A leak is something a model learns from and will not have when it predicts. It does not look like an
# error: everything runs, and the figures are splendid. Here one is planted into real data, the way it
# happens in practice, and the **leak court** has to find it.
#
# The data are those of The Complete Journey: the baskets of 2,469 households of a US grocer over one
# year, as they come with the setup.

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
from scipy.stats import spearmanr
from start import begin

from features.config.company import load_company
from features.errors import LeakFound
from features.feature_table import feature_table, plan_for
from features.history.build_history import build_history
from features.history_store import Manifest
from features.import_history.run_import import import_history
from features.lookahead import differing_rows
from features.progress import silent_steps
from features.settings import Workspace
from models.leakage.check_leakage import check_leakage
from models.leakage.findings import raise_on_leaks
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.plots.style import CASE, MODEL, QUIET, RULE, canvas, legend, money, percent
from models.targets.registry import TARGETS
from models.training.train import load_rows, split_rows
from models.training_set.build_training_sets import build_features, read_counts

workspace, company = begin("data/complete_journey.toml", upto="features")
horizon = company.target("value").horizon_days


def leak_report(company, workspace):
    """What the court says about the training sets on disk."""
    manifest = Manifest.read(workspace, company.name)
    return check_leakage(
        company, workspace, manifest, read_counts(company, workspace)[0], silent_steps()
    )


# %% [markdown]
# ## An honest company
#
# Before anything is trained, the court looks for leaks of ten kinds. `goodwill train` and
# `goodwill retrain` start only if it has nothing to say; `goodwill court` shows what it looked at.

# %%
honest = leak_report(company, workspace)
raise_on_leaks(honest)
pd.set_option("display.max_colwidth", 90)
honest.table()

# %% [markdown]
# ## An honest mistake
#
# Somebody in the data team has a table of households with what each has spent so far. It is useful, so
# it is joined to the customers, and because it has no history it is declared `constant`. *So far*
# means: until today. At a cutoff in the past it holds what was spent **after** the cutoff, too.

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

careless, elsewhere = load_company(home / "data" / "leaking.toml"), Workspace(home)
import_history(careless, elsewhere, silent_steps())
build_features(careless, elsewhere, silent_steps())
LEAK = "crm_spent_so_far"

# %% [markdown]
# ## It looks wonderful
#
# The same trees, the same split in time, once without and once with the new column: how well do the
# predictions of the next weeks' spending rank the households of the test?

# %%
rows = load_rows(careless, elsewhere, "value")
split = split_rows(TARGETS["value"], careless.target("value"), rows)
learn, test = rows.take(split.refit), rows.take(split.test)
PARAMS = Params(
    objective="l1", leaves=15, feature_fraction=0.7, max_rounds=120, min_data_in_leaf=40
)


def trained(without=()):
    """Trees on the rows before the test."""
    return Estimator.fit("regression", LabelledRows(learn.features.drop([*without]), learn.label), None,
                         PARAMS)  # fmt: skip


def ranking(model, features):
    """Rank correlation of the predictions with what was spent."""
    return float(spearmanr(model.predict(features), test.label)[0])


plain, leaking = trained(without=[LEAK]), trained()
figures = {
    "honest": ranking(plain, test.features),
    "with spent_so_far": ranking(leaking, test.features),
}
figure, (left, right) = canvas(
    f"One more column lifts the rank correlation from {figures['honest']:.2f} to "
    f"{figures['with spent_so_far']:.2f}",
    f"{len(test.label):,} households of the test, spending of the {horizon} days after it", (1, 1.2),
)  # fmt: skip
bars(left, list(figures), list(figures.values()), "{:.3f}")
heading(left, "Rank correlation on the test")
gains = pd.Series(leaking.importance()).head(8)
bars(right, list(gains.index), list(gains / gains.sum()), "{:.0%}")
percent(right, "x")
heading(right, "What the second model learns from")
figure

# %% [markdown]
# ## It is not true
#
# When the model serves, `spent_so_far` holds what was spent until *then*. We know what that was at the
# test cutoff: the revenue of all time before it. With that in the column the model meets the world.

# %%
past = test.features["revenue_all"]
place = test.features.column_names.index(LEAK)
as_it_was = test.features.set_column(place, LEAK, past)
figures["in service"] = ranking(leaking, as_it_was)
error = {
    "honest": float(np.abs(plain.predict(test.features) - test.label).mean()),
    "with spent_so_far": float(np.abs(leaking.predict(test.features) - test.label).mean()),
    "in service": float(np.abs(leaking.predict(as_it_was) - test.label).mean()),
}
worse = error["in service"] / error["honest"] - 1
figure, (left, right) = canvas(
    f"In service the better model is {worse:.0%} further off than the honest one",
    "The same two models; 'in service' gives the column the value it had at the cutoff", (1, 1),
)  # fmt: skip
bars(left, list(figures), list(figures.values()), "{:.3f}")
heading(left, "Rank correlation")
bars(right, list(error), list(error.values()), "{:,.0f}")
money(right, "x")
heading(right, f"Mean error, {company.info.currency}")
figure

# %% [markdown]
# ## What gives it away
#
# That it predicts well proves nothing: in a grocery what was spent last year predicts well, too. But
# take what *all* the past explains out of the outcome. An honest attribute has little to say about the
# rest. This one does: it contains the rest.

# %%
known, hidden = np.asarray(past), test.features[LEAK].to_numpy()
figure, (left, right) = canvas(
    f"spent_so_far less what was spent before the cutoff is the future (correlation "
    f"{np.corrcoef(hidden - known, test.label)[0, 1]:.2f})",
    f"{len(test.label):,} households at the test cutoff", (1, 1),
)  # fmt: skip
left.scatter(known, test.label, s=6, color=MODEL, alpha=0.35)
left.set(xlabel="spent before the cutoff", ylabel=f"spent in the {horizon} days after it")
heading(left, "The past predicts, with doubt")
right.scatter(hidden - known, test.label, s=6, color=CASE, alpha=0.35)
right.set(xlabel="spent_so_far less spent before the cutoff", ylabel=f"spent in the {horizon} days")
heading(right, "The leak knows")
for axis in (left, right):
    money(axis, "xy")
figure

# %% [markdown]
# The court measures this for every attribute that never changes, in the latest label windows, and names
# the column, the figures and the remedy:

# %%
try:
    raise_on_leaks(leak_report(careless, elsewhere))
except LeakFound as refused:
    print(refused)

# %% [markdown]
# ## A leak in the code
#
# A feature declared with `past` cannot look beyond its cutoff. But somebody may write the training set
# another way. Suppose a week is lost between two jobs, and the features are made as of a week **after**
# the cutoff that stands beside them:

# %%
path = elsewhere.features(careless.name) / "value.parquet"
stored = pq.read_table(path)
week = pd.Timedelta(days=7)
stamps = stored["cutoff"].to_pandas()
later = stored.set_column(1, "cutoff", pa.array(stamps + week, stored.schema.field("cutoff").type))

manifest = Manifest.read(elsewhere, careless.name)
tables = {
    n: pq.read_table(elsewhere.history(careless.name) / f"{n}.parquet") for n in manifest.rows
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
    f"A week too late: {(order > 0).sum()} of {len(order)} columns hold other values",
    "Share of the training rows whose value is not the one that was known at the cutoff",
    (1,), (9.6, 4.6),
)  # fmt: skip
bars(axis, list(order.index[:12]), list(order[:12]), "{:.0%}")
percent(axis, "x")
figure

# %% [markdown]
# The court makes a sample of the stored rows again, each from a history that **ends** at its cutoff.
# What does not come out equal did not come from the past:

# %%
findings = leak_report(careless, elsewhere).findings
for finding in findings:
    print(f"- {finding}\n")

# %%
alone = {n: abs(spearmanr(late[n].to_numpy(), late["label"].to_numpy(), nan_policy="omit")[0])
         for n in ("revenue_30d", "orders_30d", "days_since_order")}  # fmt: skip
before = {n: abs(spearmanr(stored[n].to_numpy(), late["label"].to_numpy(), nan_policy="omit")[0])
          for n in alone}  # fmt: skip
figure, (axis,) = canvas(
    "A week of the future does not stand out: each column is only a little better",
    f"Rank correlation with the spending of the {horizon} days after the cutoff, all training rows",
    (1,), (9.6, 3.6),
)  # fmt: skip
spots = np.arange(len(alone))
axis.barh(spots - 0.18, list(before.values()), 0.34, color=QUIET, label="as of the cutoff")
axis.barh(spots + 0.18, list(alone.values()), 0.34, color=RULE, label="a week later")
axis.set_yticks(spots, list(alone))
axis.invert_yaxis()
legend(axis, "lower right")
figure

# %% [markdown]
# No look at the figures of a model would have found this one. Making the rows again does.
#
# ## What to remember
#
# - A leak is splendid in the test and gone in service. Distrust what is too good.
# - *As of today* is never *constant*. A value without its own date is the future of every cutoff.
# - Do not trust whoever wrote the training set: make rows again from a truncated past.
# - What the court looks at, with its limits, is written in `docs/background/leakage-check.md`.
