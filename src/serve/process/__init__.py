"""The service as processes: starting it, its local admin API, the built Bento."""
