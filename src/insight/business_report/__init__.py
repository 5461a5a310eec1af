"""The business report: indicators and targets, customers to call, segments, complaints, model quality."""
