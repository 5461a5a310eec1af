"""Point-in-time features: from a company's tables to one feature table as of any cutoff."""
