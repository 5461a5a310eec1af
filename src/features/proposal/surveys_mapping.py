"""The proposal of the surveys: one piece of the query for every column of answers."""

from features.contract import INSTRUMENTS
from features.ingest.sql import quote_literal
from features.proposal.categories import find_channel
from features.proposal.column_profile import Column
from features.proposal.evidence import Evidence
from features.proposal.guess import Question
from features.proposal.load_sources import Source
from features.proposal.scales import find_scale, find_score_columns
from features.proposal.table_proposal import TableProposal, select_sql
from features.proposal.table_roles import time_columns
from features.proposal.vocabulary import best_concept, read_name, tokens

_ORDER = (
    "customer_id",
    "sent_at",
    "answered_at",
    "instrument",
    "dimension",
    "score",
    "scale_low",
    "scale_high",
    "expectation",
    "comment",
    "channel",
    "weight",
)


def propose_surveys(evidence: Evidence) -> TableProposal | None:
    """Propose the surveys of a company; None if it has none."""
    table = TableProposal("surveys")
    for source in evidence.having("surveys"):
        sent, answered = _times(evidence, source)
        if sent is None or answered is None:
            evidence.book.leave_out("surveys", f"{source.title}: no time of its answers")
            continue
        _add_source(evidence, table, source, sent, answered)
    if not table.pieces:
        return None
    named = [n for n in _ORDER if any(f" as {n}" in p or f"       {n}," in p for p in table.pieces)]
    table.columns = {name: name for name in named}
    return table


def _times(evidence: Evidence, source: Source) -> tuple[Column | None, Column | None]:
    """When the question was sent and when it was answered; the same where there is one time only."""
    times = [c for c in time_columns(source) if "due" not in c.means and "changed" not in c.means]
    answered = max(
        (c for c in times if "answered" in c.means),
        key=lambda c: c.means.share("answered"),
        default=None,
    )
    sent = max(
        (c for c in times if "sent" in c.means and c is not answered),
        key=lambda c: c.means.share("sent"),
        default=None,
    )
    others = [c for c in times if c not in (sent, answered)]
    if sent is None and answered is None:
        sent = answered = max(others, key=lambda c: (c.filled, c.distinct), default=None)
    elif answered is None and others:
        answered = others[0]
    elif sent is None and others:
        sent = others[0]
    sent, answered = sent or answered, answered or sent
    if sent is not None and answered is not None and sent is not answered:
        late = evidence.count(
            f"select count(*) from {source.quoted} t where {answered.sql('t')} < {sent.sql('t')}"
        )
        if late > 0.5 * source.rows:
            sent, answered = answered, sent
    return sent, answered


def _add_source(
    evidence: Evidence, table: TableProposal, source: Source, sent: Column, answered: Column
) -> None:
    path, book = evidence.paths[source.name], evidence.book
    table.use(source.name, *(j.target for j in path.joins))
    shared = {
        "customer_id": path.customer_sql(),
        "sent_at": evidence.time_sql(sent, "t"),
        "answered_at": evidence.time_sql(answered, "t"),
    }
    if sent is answered:
        book.add(
            f"surveys.{source.name}.sent_at",
            "likely",
            f"{sent.name} is the only time: sent and answered at once",
        )
    else:
        book.add(f"surveys.{source.name}.sent_at", "sure", sent.name)
        book.add(f"surveys.{source.name}.answered_at", "sure", answered.name)
    scores = find_score_columns(source)
    for number, score in enumerate(scores):
        columns = dict(shared)
        _add_score(evidence, source, score, columns, several=len(scores) > 1)
        if number == 0:
            columns |= _texts(evidence, source)
        _add_weight(evidence, source, columns)
        rest = f"from {path.from_sql(source)}"
        if len(scores) > 1:
            rest += f"\nwhere {columns['score']} is not null"
        elif sent is answered and score.filled < score.rows:
            columns["answered_at"] = (
                f"case when {columns['score']} is not null then {shared['answered_at']} end"
            )
        table.pieces.append(select_sql(columns, rest))


def _add_score(
    evidence: Evidence, source: Source, score: Column, columns: dict[str, str], several: bool
) -> None:
    """Add instrument, dimension, score and scale of one column of answers."""
    book, place = evidence.book, f"surveys.{source.name}"
    instruments = _column(source, "instrument")
    ends = _column(source, "scale_low"), _column(source, "scale_high")
    by_row = _instruments_of_rows(instruments)
    if instruments is not None and by_row:
        columns["instrument"] = by_row
        instrument = "csat"
        book.add(f"{place}.instrument", "sure", instruments.name)
    else:
        instrument = _instrument(evidence, source, score)
        columns["instrument"] = quote_literal(instrument)
    question = _column(source, "question")
    if question is not None and question is not instruments and question.is_text:
        columns["dimension"] = f"t.{question.quoted}"
        book.add(f"{place}.dimension", "likely", question.name)
    elif several:
        columns["dimension"] = quote_literal("_".join(tokens(score.name)))
    if ends[0] is not None and ends[1] is not None:
        columns["score"] = score.sql("t")
        columns["scale_low"], columns["scale_high"] = ends[0].sql("t"), ends[1].sql("t")
        book.add(f"{place}.score", "sure", f"{score.name}, from {ends[0].name} to {ends[1].name}")
        return
    scale = find_scale(score, instrument, book, f"{place}.{score.name}")
    columns["score"] = scale.sql.format(score.sql("t"))
    columns["scale_low"], columns["scale_high"] = f"{scale.low:g}", f"{scale.high:g}"
    book.add(f"{place}.score", scale.confidence, f"{score.name}: {scale.why}")


def _instrument(evidence: Evidence, source: Source, score: Column) -> str:
    """The instrument of a column of answers, by its name, that of its source, and its scale."""
    numbers = [float(v) for v in score.values] if score.is_number else []
    to_ten = bool(numbers) and 10 <= max(n for n in numbers if n <= 10 or len(numbers) == 1) <= 10
    for name, where in ((score.name, "the column"), (source.title, "the table")):
        found = read_name(name, "instruments").shares
        best = max(found, key=lambda i: found[i]) if found else None
        if best == "nps" or (best and not to_ten):
            evidence.book.add(
                f"surveys.{source.name}.{score.name}.instrument",
                "sure",
                f"{best}: {where} is called {name}",
            )
            return best
    if not to_ten:
        evidence.book.add(
            f"surveys.{source.name}.{score.name}.instrument",
            "likely",
            "csat: nothing says another instrument",
        )
        return "csat"
    low = min(numbers)
    answer = evidence.book.ask(
        Question(
            f"surveys.{source.name}.{score.name}",
            f"{score.name} in {source.title} goes up to 10: NPS (would you recommend?) or satisfaction?",
            {"nps": "likelihood to recommend", "csat": "satisfaction on a scale to 10"},
            "csat" if low >= 1 else "nps",
        )
    )
    evidence.book.add(
        f"surveys.{source.name}.{score.name}.instrument",
        "unsure",
        f"{answer}: up to 10, but no name says which",
    )
    return answer


def _instruments_of_rows(column: Column | None) -> str | None:
    """SQL of the instrument where a column says it in every row."""
    if column is None or not column.values:
        return None
    if set(map(str.lower, column.values)) <= set(INSTRUMENTS):
        return f"lower(t.{column.quoted})"
    known = {value: best_concept(value, "instruments") for value in column.values}
    if not all(known.values()):
        return None
    whens = " ".join(
        f"when {quote_literal(v)} then {quote_literal(str(i))}" for v, i in known.items()
    )
    return f"case t.{column.quoted} {whens} end"


def _texts(evidence: Evidence, source: Source) -> dict[str, str]:
    """Comment, channel and expectation of an answer."""
    found: dict[str, str] = {}
    comments = [
        c
        for c in source.columns.values()
        if c.means.share("comment") >= 0.3
        and c.is_text
        and "identifier" not in c.means
        and (c.distinct > 20 or c.prose > 0.5)
    ]
    comments.sort(key=lambda c: c.length)
    if len(comments) == 1:
        found["comment"] = f"t.{comments[0].quoted}"
    elif comments:
        listed = ", ".join(f"t.{c.quoted}" for c in comments)
        found["comment"] = f"nullif(trim(concat_ws('. ', {listed})), '')"
    if comments:
        evidence.book.add(
            f"surveys.{source.name}.comment", "sure", ", ".join(c.name for c in comments)
        )
    channel = find_channel(source)
    if channel is not None:
        found["channel"] = f"t.{channel.quoted}"
    expectation = _column(source, "expectation")
    if expectation is not None and expectation.is_number:
        found["expectation"] = expectation.sql("t")
    return found


def _add_weight(evidence: Evidence, source: Source, columns: dict[str, str]) -> None:
    """Add the weight of an answer, from its own source or from one on the way to the customer."""
    path, alias = evidence.paths[source.name], "t"
    places = [
        (source, "t"),
        *((evidence.sources[j.target], f"j{n}") for n, j in enumerate(path.joins, 1)),
    ]
    for place, alias in places:
        weight = _column(place, "weight")
        if weight is not None and weight.is_number and float(weight.low or 0) > 0:
            columns["weight"] = weight.sql(alias)
            evidence.book.add(
                f"surveys.{source.name}.weight", "likely", f"{weight.name} of {place.title}"
            )
            return


def _column(source: Source, concept: str) -> Column | None:
    """The column whose name mostly says this concept."""
    found = [c for c in source.columns.values() if c.means.share(concept) >= 0.6 and not c.is_time]
    return max(found, key=lambda c: c.means.share(concept), default=None)
