"""Owner and region are found under the names that companies use."""

import pytest

from insight.calls.customer_record import record_columns


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (["industry", "region", "account_owner"], {"owner": "account_owner", "region": "region"}),
        (["sales_rep", "territory", "area"], {"owner": "sales_rep", "region": "area"}),
        (["owner", "account_owner"], {"owner": "account_owner"}),
        (["industry"], {}),
    ],
)
def test_the_first_name_that_a_company_has(known, expected):
    assert record_columns(known) == expected
