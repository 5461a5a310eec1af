"""The compiled pass over a stream of rows, and the only place where times are compared with a cutoff.

A cutoff `c` is an instant. A row counts at `c` when it occurred before `c` and was known before `c`
(both strictly); a column that is revealed later than its row counts when that time, too, is before
`c`. A window of `w` days covers `[c - w, c)`. `first_not_before`, `is_within` and `is_known` implement
this, and no other code compares times with a cutoff to compute a feature. They are in this file
because the cache of compiled code is invalidated by changes of this file only.
"""

import numpy as np
from numba import njit

from features.history.history_table import ALWAYS, DAY, NEVER

#: The codes of the operations in the compiled pass.
OPERATIONS = {
    name: code
    for code, name in enumerate(
        (
            "count", "sum", "mean", "min", "max", "last", "first",
            "days_since", "days_since_first", "gap_mean",
            "distinct", "std", "gap_std", "slope", "decayed_sum",
        )
    )
}  # fmt: skip
(
    COUNT, SUM, MEAN, MIN, MAX, LAST, FIRST,
    DAYS_SINCE, DAYS_SINCE_FIRST, GAP_MEAN,
    DISTINCT, STD, GAP_STD, SLOPE, DECAYED_SUM,
) = range(len(OPERATIONS))  # fmt: skip

_compiled = njit(cache=True, nogil=True)
_inlined = njit(cache=True, nogil=True, inline="always")


@_inlined
def first_not_before(clock, start, end, cutoff):  # type: ignore[no-untyped-def]
    """The first row of the ascending `clock[start:end]` that did not occur before the cutoff."""
    low, high = start, end
    while low < high:
        middle = (low + high) // 2
        if clock[middle] < cutoff:
            low = middle + 1
        else:
            high = middle
    return low


@_inlined
def is_within(clock, row, cutoff, window):  # type: ignore[no-untyped-def]
    """Whether a row before the cutoff is in the window (microseconds; negative = all time)."""
    return window < 0 or clock[row] >= cutoff - window


@_inlined
def is_known(known, row, cutoff):  # type: ignore[no-untyped-def]
    """Whether a row (or a column revealed later) was known before the cutoff."""
    return known[row] < cutoff


@_compiled
def aggregate(stream, rows, leaves, out, start):  # type: ignore[no-untyped-def]
    """Fill `out[index[j], start + i]` with leaf `j` for row `i`; all leaves aggregate one column.

    stream: (offsets, clock, known, value, same); rows: (customer, cutoff); leaves: (operation,
    window in microseconds or -1, half-life in days, index), the longest window last.
    `same[r]` is the previous row of the customer with the value of row `r`, -1 if none.

    Rows are read backwards from the cutoff, and a longer window continues where the shorter one
    stopped: each row is read once, however many windows include it.
    """
    offsets, clock, known, value, same = stream
    customer, cutoff = rows
    operation, window, half_life, index = leaves
    for i in range(len(customer)):
        first, c = offsets[customer[i]], cutoff[i]
        stop = first_not_before(clock, first, offsets[customer[i] + 1], c)
        low, count, dated, latest, earliest = stop, 0, 0, NEVER, NEVER
        n, total, least, most, newest, oldest = 0, 0.0, np.inf, -np.inf, np.nan, np.nan
        for j in range(len(operation)):
            while low > first and is_within(clock, low - 1, c, window[j]):
                low -= 1
                if not is_known(known, low, c):
                    continue
                count += 1
                if clock[low] != ALWAYS:  # a row without a date has no age
                    latest = clock[low] if dated == 0 else latest
                    earliest = clock[low]
                    dated += 1
                x = value[low]
                if x == x:
                    newest = x if n == 0 else newest
                    oldest = x
                    n += 1
                    total += x
                    least = x if x < least else least
                    most = x if x > most else most
            op = operation[j]
            if op <= FIRST:
                result = _summary(op, count, n, total, least, most, newest, oldest)
            elif op <= GAP_MEAN:
                result = _timing(op, dated, latest, earliest, c)
            else:
                result = _second_pass(op, clock, known, value, same, low, stop, c, half_life[j])
            out[index[j], start + i] = result


@_inlined
def _summary(op, count, n, total, least, most, newest, oldest):  # type: ignore[no-untyped-def]
    """count, sum, mean, min, max, last, first of the present values; the sum of none is 0."""
    if op == COUNT:
        return float(count)
    if op == SUM:
        return total
    if n == 0:
        return np.nan
    if op == MEAN:
        return total / n
    if op == MIN:
        return least
    if op == MAX:
        return most
    return newest if op == LAST else oldest


@_inlined
def _timing(op, dated, latest, earliest, cutoff):  # type: ignore[no-untyped-def]
    """Days since the latest or earliest row, and the mean of the gaps between rows."""
    if dated == 0:
        return np.nan
    if op == DAYS_SINCE:
        return (cutoff - latest) / DAY
    if op == DAYS_SINCE_FIRST:
        return (cutoff - earliest) / DAY
    return (latest - earliest) / DAY / (dated - 1) if dated > 1 else np.nan


@_compiled
def _second_pass(op, clock, known, value, same, low, high, cutoff, half_life):  # type: ignore[no-untyped-def]
    """The operations that need their own pass over the rows `low:high`."""
    if op == DISTINCT:
        return _distinct(known, value, same, low, high, cutoff)
    if op == STD:
        return _deviation(known, value, low, high, cutoff)
    if op == GAP_STD:
        return _gap_deviation(clock, known, low, high, cutoff)
    if op == SLOPE:
        return _slope(clock, known, value, low, high, cutoff)
    return _decayed(clock, known, value, low, high, cutoff, half_life)


@_compiled
def _distinct(known, value, same, low, high, cutoff):  # type: ignore[no-untyped-def]
    """Distinct values: a row counts unless an earlier known row of the window has its value."""
    n = 0
    for r in range(low, high):
        if not is_known(known, r, cutoff) or np.isnan(value[r]):
            continue
        earlier = same[r]
        while earlier >= low and not is_known(known, earlier, cutoff):
            earlier = same[earlier]
        if earlier < low:
            n += 1
    return float(n)


@_compiled
def _deviation(known, value, low, high, cutoff):  # type: ignore[no-untyped-def]
    """Sample standard deviation of the values (Welford's recurrence)."""
    n, mean, squares = 0, 0.0, 0.0
    for r in range(low, high):
        if is_known(known, r, cutoff) and not np.isnan(value[r]):
            n += 1
            before = value[r] - mean
            mean += before / n
            squares += before * (value[r] - mean)
    return np.sqrt(squares / (n - 1)) if n > 1 else np.nan


@_compiled
def _gap_deviation(clock, known, low, high, cutoff):  # type: ignore[no-untyped-def]
    """Sample standard deviation of the days from one row to the next (Welford's recurrence)."""
    n, mean, squares = 0, 0.0, 0.0
    previous = np.int64(NEVER)
    for r in range(low, high):
        if not is_known(known, r, cutoff) or clock[r] == ALWAYS:
            continue
        if previous != NEVER:
            gap = (clock[r] - previous) / DAY
            n += 1
            before = gap - mean
            mean += before / n
            squares += before * (gap - mean)
        previous = clock[r]
    return np.sqrt(squares / (n - 1)) if n > 1 else np.nan


@_compiled
def _slope(clock, known, value, low, high, cutoff):  # type: ignore[no-untyped-def]
    """Least-squares slope of the value over time, per 30 days; both are centred for precision."""
    n, sum_t, sum_x = 0, 0.0, 0.0
    for r in range(low, high):
        if is_known(known, r, cutoff) and not np.isnan(value[r]):
            n += 1
            sum_t += (cutoff - clock[r]) / DAY
            sum_x += value[r]
    if n < 2:
        return np.nan
    mean_t, mean_x, across, spread = sum_t / n, sum_x / n, 0.0, 0.0
    for r in range(low, high):
        if is_known(known, r, cutoff) and not np.isnan(value[r]):
            t = (cutoff - clock[r]) / DAY - mean_t
            across += t * (value[r] - mean_x)
            spread += t * t
    return -30.0 * across / spread if spread > 1e-12 else np.nan


@_compiled
def _decayed(clock, known, value, low, high, cutoff, half_life):  # type: ignore[no-untyped-def]
    """Sum in which a value loses half its weight with each half-life (days)."""
    total = 0.0
    for r in range(low, high):
        if is_known(known, r, cutoff) and not np.isnan(value[r]):
            total += value[r] * 0.5 ** ((cutoff - clock[r]) / DAY / half_life)
    return total
