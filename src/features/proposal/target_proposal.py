"""What to predict: churn by contract or by silence, with a horizon from the observed gaps."""

from dataclasses import dataclass, field

from features.proposal.evidence import Evidence

#: Horizons in use, in days: four and eight weeks, a quarter, half a year, a year.
HORIZONS = (28, 56, 90, 182, 364)
#: The quantile of the gaps between two orders that the horizon must reach.
GAPS = 0.98
#: The share of the data's span that a label window may take, so that cutoffs and a test are left.
SPAN_SHARE = 0.25
#: The share of customers with a second order from which there is a habit to lose.
REPEATING = 0.1
#: The fewest cancellations for which churn is by contract.
FEWEST_CANCELLATIONS = 20


@dataclass
class TargetProposal:
    """The settings of the targets by name: those of `[targets.NAME]`."""

    settings: dict[str, dict[str, object]] = field(default_factory=dict)


def propose_targets(evidence: Evidence, tables: set[str]) -> TargetProposal:
    """Propose the targets from the events (the view `proposed_events`)."""
    found = TargetProposal()
    if "surveys" in tables:
        found.settings["satisfaction"] = {"horizon_days": 30}
    if "events" not in tables:
        return found
    kinds = dict(
        evidence.con.execute("select kind, count(*) from proposed_events group by 1").fetchall()
    )
    span = evidence.number(
        "select date_diff('day', min(occurred_at), max(occurred_at)) from proposed_events"
    )
    if kinds.get("cancel", 0) >= FEWEST_CANCELLATIONS and (
        kinds.get("contract", 0) + kinds.get("renewal", 0) > 0
    ):
        why = f"{kinds['cancel']:,} cancellations of contracts"
        evidence.book.add("targets.churn.definition", "sure", why)
        horizon = _fitting(90, span or 0.0)
        evidence.book.add(
            "targets.churn.horizon_days", "likely", "a quarter, where contracts can be ended"
        )
        found.settings["churn"] = {"definition": "cancel", "horizon_days": horizon}
        found.settings["value"] = {"horizon_days": horizon}
        return found
    return _by_silence(evidence, found, kinds.get("order", 0), span or 0.0)


def _by_silence(
    evidence: Evidence, found: TargetProposal, orders: int, span: float
) -> TargetProposal:
    """Churn by silence, with the horizon from the gaps between the orders of a customer."""
    if not orders:
        evidence.book.add(
            "targets.churn.definition", "sure", "no order: churn and value cannot be predicted"
        )
        found.settings |= {"churn": {"enabled": False}, "value": {"enabled": False}}
        return found
    again = evidence.number(
        "select avg((n > 1)::int) from (select count(distinct occurred_at::date) as n "
        "from proposed_events "
        "where kind = 'order' and customer_id is not null group by customer_id)"
    )
    if (again or 0.0) < REPEATING:
        why = f"only {again or 0:.1%} of the customers order again, so their silence says nothing"
        evidence.book.add("targets.churn.definition", "sure", why)
        found.settings |= {"churn": {"enabled": False}, "value": {"enabled": False}}
        return found
    gap = evidence.number(
        f"select quantile_cont(gap, {GAPS}) from (select date_diff('day', lag(d) over (partition by "
        "customer_id order by d), d) as gap from (select distinct customer_id, occurred_at::date as d "
        "from proposed_events where kind = 'order' and customer_id is not null)) where gap is not null"
    )
    horizon = _fitting(gap or 90.0, span)
    why = f"{GAPS:.0%} of the gaps between two orders are up to {gap or 0:.0f} days"
    too_short = (gap or 0.0) > horizon
    if too_short:
        why += f", but the data span only {span:.0f} days"
    evidence.book.add(
        "targets.churn.definition", "likely", "no contracts: silence is an order that does not come"
    )
    evidence.book.add("targets.churn.horizon_days", "unsure" if too_short else "likely", why)
    active = {"active_days": 2 * horizon} if horizon > 182 else {}
    found.settings["churn"] = {"definition": "silence", "horizon_days": horizon, **active}
    found.settings["value"] = {"horizon_days": horizon}
    return found


def _fitting(days: float, span: float) -> int:
    """The shortest horizon of at least so many days that the data are long enough for."""
    possible = [h for h in HORIZONS if h <= span * SPAN_SHARE] or [HORIZONS[0]]
    return next((h for h in possible if h >= days), possible[-1])


@dataclass(frozen=True)
class TargetMaterial:
    """What a target would have to learn from: rows, and customers or answers of each class."""

    target: str
    says: str


def describe_material(
    evidence: Evidence, proposal: TargetProposal, tables: set[str]
) -> list[TargetMaterial]:
    """Say for every target what it would have to learn from."""
    found = []
    if "events" in tables:
        rows = evidence.con.execute(
            "select kind, count(*), count(distinct customer_id), min(occurred_at)::date, "
            "max(occurred_at)::date from proposed_events group by 1 order by 2 desc"
        ).fetchall()
        kinds = {r[0]: r[1:] for r in rows}
        for name in ("churn", "value"):
            found.append(TargetMaterial(name, _of_events(name, proposal, kinds)))
    if "surveys" in tables:
        answers = evidence.con.execute(
            "select lower(instrument), count(*) filter (score is not null), count(*), "
            "count(distinct customer_id) filter (score is not null) from proposed_surveys group by 1"
        ).fetchall()
        by = {r[0]: r[1:] for r in answers}
        for name, instrument in (("satisfaction", "csat"), ("nps", "nps")):
            if instrument in by:
                scored, sent, people = by[instrument]
                says = f"{scored:,} answers of {people:,} customers, {sent:,} questions sent"
            else:
                says = f"nothing: no answer to a question of {instrument}"
            found.append(TargetMaterial(name, says))
    else:
        found += [TargetMaterial(n, "nothing: no surveys") for n in ("satisfaction", "nps")]
    return found


def _of_events(name: str, proposal: TargetProposal, kinds: dict[str, tuple]) -> str:  # type: ignore[type-arg]
    settings = proposal.settings.get(name, {})
    if settings.get("enabled") is False:
        return "not trained: see the comment in the file"
    kind = "cancel" if name == "churn" and settings.get("definition") == "cancel" else "order"
    if kind not in kinds:
        return f"nothing: no event of kind {kind}"
    count, people, first, last = kinds[kind]
    horizon = settings.get("horizon_days")
    rows = f"{count:,} events of kind {kind} of {people:,} customers"
    return f"{rows}, {first} to {last}, horizon {horizon} days"
