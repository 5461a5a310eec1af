"""How usable a company's tables are: findings with figures and remedies, before any feature is made."""
