"""Whom to call first: the definitions that the report and the service share."""
