"""Exact TreeSHAP values of many rows with compiled code."""
