"""The data quality page of a company's tables."""
