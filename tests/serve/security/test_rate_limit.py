"""Clients are limited to their rate, and a busy worker refuses calls at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.errors import TooMany
from serve.security.rate_limit import ConcurrencyLimit, RateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def allowed(limiter: RateLimiter, client: str, rate: float) -> bool:
    try:
        limiter.take(client, rate)
    except TooMany:
        return False
    return True


def test_a_burst_of_one_second_is_allowed() -> None:
    clock = Clock()
    limiter = RateLimiter(clock=clock)
    assert [allowed(limiter, "crm", 3) for _ in range(5)] == [True, True, True, False, False]
    assert allowed(limiter, "bi", 3)  # each client has its own
    clock.now = 1.0
    assert [allowed(limiter, "crm", 3) for _ in range(4)] == [True, True, True, False]


def test_an_error_has_the_time_to_wait() -> None:
    limiter = RateLimiter(share=0.5, clock=Clock())
    limiter.take("crm", 0.5)
    with pytest.raises(TooMany, match=r"0\.5 calls per second") as refused:
        limiter.take("crm", 0.5)
    assert refused.value.headers == {"Retry-After": "4"}


@given(
    st.floats(0.1, 50),
    st.sampled_from([1.0, 0.5, 0.25]),
    st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_never_more_than_the_rate_and_one_burst(
    rate: float, share: float, waits: list[float]
) -> None:
    clock = Clock()
    limiter = RateLimiter(share, clock)
    passed = 0
    for wait in waits:
        clock.now += wait
        passed += allowed(limiter, "crm", rate)
        assert passed <= max(1.0, rate * share) + rate * share * clock.now + 1e-6
    assert passed >= 1


def test_waiting_for_retry_after_is_enough() -> None:
    clock = Clock()
    limiter = RateLimiter(clock=clock)
    for rate in (0.3, 1.0, 7.0):
        client = str(rate)
        while allowed(limiter, client, rate):
            pass
        with pytest.raises(TooMany) as refused:
            limiter.take(client, rate)
        clock.now += float(refused.value.headers["Retry-After"])
        limiter.take(client, rate)


def test_a_call_above_the_concurrency_limit_is_refused() -> None:
    concurrency = ConcurrencyLimit(1)
    with concurrency:
        with pytest.raises(TooMany) as refused, concurrency:
            pytest.fail("a second call was accepted")
        assert concurrency.in_flight == 1
    assert refused.value.headers == {"Retry-After": "1"}
    with concurrency:
        pass
    assert concurrency.in_flight == 0
