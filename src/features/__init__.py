"""Point-in-time features: a company's tables, cut at a cutoff, as one table of numbers."""
