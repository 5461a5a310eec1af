"""Simulate answers about a household appliance brand with known factors, groups and drivers.

Overall satisfaction has mean 80 and standard deviation 10, so that two thirds of the answers lie
between 70 and 90. Nine items load on product quality, after-sales service and brand image. Customers
are satisfied, moderate or dissatisfied; for the dissatisfied, the price matters most.
"""

import numpy as np
import pandas as pd

FACTORS = {
    "product_quality": ["durability", "function", "design"],
    "after_sales_service": ["repair", "hotline", "delivery"],
    "brand_image": ["reputation", "trust", "advertising"],
}
ITEMS = [item for items in FACTORS.values() for item in items]


def appliance_brand(rows: int = 900, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return answers of 0 to 100 (nine items, `price`, `overall`), and the group of each customer."""
    rng = np.random.default_rng(seed)
    group = rng.choice(3, rows, p=[0.35, 0.4, 0.25])
    level = np.array([1.0, 0.0, -1.4])[group]
    latent = 0.6 * level[:, None] + 0.9 * rng.normal(size=(rows, 3))
    table = {}
    for column, items in enumerate(FACTORS.values()):
        for item in items:
            table[item] = latent[:, column] + 0.55 * rng.normal(size=rows)
    price = 1.1 * level + 0.7 * rng.normal(size=rows)
    by_quality = 1.2 * level + latent @ np.array([0.35, 0.2, 0.1])
    by_price = -1.4 + 0.75 * price
    overall = np.where(group == 2, by_price, by_quality) + 0.25 * rng.normal(size=rows)
    table |= {"price": price, "overall": overall}
    frame = pd.DataFrame(table)
    standard = (frame - frame.mean()) / frame.std()
    return (80 + 10 * standard).clip(0, 100).round(1), group
