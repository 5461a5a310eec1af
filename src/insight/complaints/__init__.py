"""Complaints: intake, Pareto table, handling times, and causes of dissatisfaction and churn."""
