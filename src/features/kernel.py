"""The compiled pass over a stream of rows, and the one place where time is cut.

A cutoff `c` is an instant. A row counts at `c` when it occurred before `c` and was known before `c`
(both strictly); a column that is revealed later than its row counts when that moment, too, lies
before `c`. A window of `w` days looks at `[c - w, c)`. `window_span` and `is_known` say so, and
nothing else in the project compares times with a cutoff to make a feature. They stand in this file
because the cache of compiled code notices a change of this file only.
"""

import numpy as np
from numba import njit

from features.rows import ALWAYS, DAY, NEVER

#: Codes of the operations, as the compiled pass knows them.
OPERATIONS = {
    name: code
    for code, name in enumerate(
        (
            "count", "sum", "mean", "min", "max", "std", "last", "first", "distinct",
            "days_since", "days_since_first", "gap_mean", "gap_std", "slope", "decayed_sum",
        )
    )
}  # fmt: skip
(
    COUNT, SUM, MEAN, MIN, MAX, STD, LAST, FIRST, DISTINCT,
    DAYS_SINCE, DAYS_SINCE_FIRST, GAP_MEAN, GAP_STD, SLOPE, DECAYED_SUM,
) = range(len(OPERATIONS))  # fmt: skip

_compiled = njit(cache=True, nogil=True)


@njit(cache=True, nogil=True)
def window_span(clock, start, end, cutoff, window):  # type: ignore[no-untyped-def]
    """Rows of one customer with `cutoff - window <= clock < cutoff`, as `(first, past the last)`.

    `clock[start:end]` ascends; `window` is in microseconds, negative = all time.
    """
    low, high = start, end
    while low < high:
        middle = (low + high) // 2
        if clock[middle] < cutoff:
            low = middle + 1
        else:
            high = middle
    stop = low
    if window < 0:
        return start, stop
    low, high = start, stop
    while low < high:
        middle = (low + high) // 2
        if clock[middle] < cutoff - window:
            low = middle + 1
        else:
            high = middle
    return low, stop


@njit(cache=True, nogil=True, inline="always")
def is_known(known, row, cutoff):  # type: ignore[no-untyped-def]
    """Whether a row (or the later column that is asked for) was known before the cutoff."""
    return known[row] < cutoff


@_compiled
def aggregate(stream, rows, leaves, out):  # type: ignore[no-untyped-def]
    """Fill `out[i, j]` with leaf `j` for row `i`.

    stream: (offsets, clock, known, values[k, n], same[k, n]); rows: (customer, cutoff);
    leaves: (operation, value index, window in microseconds or -1, half-life in days).
    `same[k, i]` is the previous row of the customer with the same value, -1 if none.
    """
    offsets, clock, known, values, same = stream
    customer, cutoff = rows
    operation, column, window, half_life = leaves
    for i in range(len(customer)):
        start, end = offsets[customer[i]], offsets[customer[i] + 1]
        last_window, low, high = np.int64(-2), start, start
        for j in range(len(operation)):
            if window[j] != last_window:
                low, high = window_span(clock, start, end, cutoff[i], window[j])
                last_window = window[j]
            op, k = operation[j], column[j]
            if op == COUNT:
                out[i, j] = _count(known, low, high, cutoff[i])
            elif op >= DAYS_SINCE and op <= GAP_STD:
                out[i, j] = _timing(op, clock, known, low, high, cutoff[i])
            elif op == DISTINCT:
                out[i, j] = _distinct(known, values[k], same[k], low, high, cutoff[i])
            elif op == SLOPE:
                out[i, j] = _slope(clock, known, values[k], low, high, cutoff[i])
            elif op == DECAYED_SUM:
                out[i, j] = _decayed(clock, known, values[k], low, high, cutoff[i], half_life[j])
            else:
                out[i, j] = _summary(op, known, values[k], low, high, cutoff[i])


@_compiled
def _count(known, low, high, cutoff):  # type: ignore[no-untyped-def]
    n = 0
    for r in range(low, high):
        if is_known(known, r, cutoff):
            n += 1
    return float(n)


@_compiled
def _summary(op, known, value, low, high, cutoff):  # type: ignore[no-untyped-def]
    """sum, mean, min, max, std, last, first of the values that are there; a sum of none is 0."""
    n, total, least, most = 0, 0.0, np.inf, -np.inf
    first, last = np.nan, np.nan
    for r in range(low, high):
        if not is_known(known, r, cutoff) or np.isnan(value[r]):
            continue
        x = value[r]
        if n == 0:
            first = x
        n += 1
        total += x
        least, most, last = min(least, x), max(most, x), x
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
    if op == LAST:
        return last
    if op == FIRST:
        return first
    return _deviation(known, value, low, high, cutoff, n, total / n)


@_compiled
def _deviation(known, value, low, high, cutoff, n, mean):  # type: ignore[no-untyped-def]
    if n < 2:
        return np.nan
    squares = 0.0
    for r in range(low, high):
        if is_known(known, r, cutoff) and not np.isnan(value[r]):
            squares += (value[r] - mean) ** 2
    return np.sqrt(squares / (n - 1))


@_compiled
def _timing(op, clock, known, low, high, cutoff):  # type: ignore[no-untyped-def]
    """Days since the latest or earliest row, and mean and deviation of the gaps between rows."""
    n = 0
    first, last = np.int64(NEVER), np.int64(NEVER)
    for r in range(low, high):
        if is_known(known, r, cutoff) and clock[r] != ALWAYS:  # what has no date has no age
            if n == 0:
                first = clock[r]
            last = clock[r]
            n += 1
    if n == 0:
        return np.nan
    if op == DAYS_SINCE:
        return (cutoff - last) / DAY
    if op == DAYS_SINCE_FIRST:
        return (cutoff - first) / DAY
    if n < 2:
        return np.nan
    mean = (last - first) / DAY / (n - 1)
    return mean if op == GAP_MEAN else _gap_deviation(clock, known, low, high, cutoff, mean)


@_compiled
def _gap_deviation(clock, known, low, high, cutoff, mean):  # type: ignore[no-untyped-def]
    gaps, squares = 0, 0.0
    previous = np.int64(NEVER)
    for r in range(low, high):
        if not is_known(known, r, cutoff) or clock[r] == ALWAYS:
            continue
        if previous != NEVER:
            squares += ((clock[r] - previous) / DAY - mean) ** 2
            gaps += 1
        previous = clock[r]
    return np.sqrt(squares / (gaps - 1)) if gaps > 1 else np.nan


@_compiled
def _distinct(known, value, same, low, high, cutoff):  # type: ignore[no-untyped-def]
    """Different values: a row counts unless an earlier known row of the window has its value."""
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
def _slope(clock, known, value, low, high, cutoff):  # type: ignore[no-untyped-def]
    """Least squares of the value on time, per 30 days; time is centred to keep precision."""
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
    total = 0.0
    for r in range(low, high):
        if is_known(known, r, cutoff) and not np.isnan(value[r]):
            total += value[r] * 0.5 ** ((cutoff - clock[r]) / DAY / half_life)
    return total
