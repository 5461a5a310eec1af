"""Train one model: parameters, distribution shift, comparison with baselines."""
