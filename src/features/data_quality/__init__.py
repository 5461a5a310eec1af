"""Data quality of a company's tables: findings with figures and remedies, checked at import."""
