"""The business report: indicators, customers to call, segments, complaints, model quality."""
