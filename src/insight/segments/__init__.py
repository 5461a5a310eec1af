"""Customer segments: tiers, stars, lifecycle stages, quadrants and their migrations."""
