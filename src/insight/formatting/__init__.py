"""Shared look and names of the pages."""
