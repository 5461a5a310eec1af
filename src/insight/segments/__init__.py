"""Where a customer stands: tier, stars, stage, quadrant, and why that changed."""
