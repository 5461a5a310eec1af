"""Exact TreeSHAP of many rows, compiled."""
