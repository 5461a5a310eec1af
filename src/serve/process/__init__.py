"""Processes of the service: starting and stopping it, its admin API, building the Bento."""
