"""A made-up telephone company: one row a customer, a label, no dates, and columns that leak."""

import csv
from pathlib import Path

import numpy as np

SEED = 11
CONTRACTS = ("Month-to-month", "One year", "Two year")
PAYMENTS = ("Electronic check", "Mailed check", "Bank transfer", "Credit card")
REASONS = ("Competitor", "Price", "Service", "Moved")

TOML = """
[company]
name = "telco"
title = "Made-up telephone company"
currency = "USD"
{more_company}

[tables.customers]
files = "telco.csv"
columns = {{ customer_id = "customerID", "*" = "*" }}
except = {left_out}

[snapshot]
label = "Churn = 'Yes'"
{more}
"""
#: Columns that no honest model may read.
LEAKING = ("Churn Reason", "Row")


def write_telco_table(folder: Path, customers: int = 1500, seed: int = SEED) -> None:
    """Write `telco.csv`: ids, a row number, attributes, `Churn` and the reason for leaving."""
    rng = np.random.default_rng(seed)
    contract = rng.choice(3, customers, p=[0.55, 0.21, 0.24])
    tenure = np.minimum(72, rng.gamma(1.6, 18 + 12 * contract)).astype(int)
    fibre = rng.random(customers) < 0.44
    charges = np.round(20 + 45 * fibre + 25 * rng.random(customers), 2)
    payment = rng.choice(4, customers, p=[0.34, 0.23, 0.22, 0.21])
    senior = rng.random(customers) < 0.16
    pressure = (
        0.2 - 1.6 * contract - 0.035 * tenure + 0.9 * fibre + 0.5 * (payment == 0) + 0.3 * senior
    )
    left = rng.random(customers) < 1 / (1 + np.exp(-pressure))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "telco.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([
            "customerID", "Row", "gender", "SeniorCitizen", "tenure", "Contract", "Internet Service",
            "PaymentMethod", "MonthlyCharges", "Churn", "Churn Reason",
        ])  # fmt: skip
        for i in range(customers):
            writer.writerow([
                f"{rng.integers(1000, 9999)}-{i:05d}", i + 1, rng.choice(["Female", "Male"]),
                int(senior[i]), tenure[i], CONTRACTS[contract[i]], "Fiber optic" if fibre[i] else "DSL",
                PAYMENTS[payment[i]], charges[i], "Yes" if left[i] else "No",
                rng.choice(REASONS) if left[i] else "",
            ])  # fmt: skip


def write_telco_company(
    folder: Path,
    customers: int = 1500,
    left_out: tuple[str, ...] = LEAKING,
    more: str = "",
    more_company: str = "",
) -> Path:
    """Write the table and its company file `telco.toml`; returns the path of the file."""
    write_telco_table(folder, customers)
    names = "[" + ", ".join(f'"{name}"' for name in left_out) + "]"
    path = folder / "telco.toml"
    text = TOML.format(left_out=names, more=more, more_company=more_company)
    path.write_text(text, encoding="utf-8")
    return path
