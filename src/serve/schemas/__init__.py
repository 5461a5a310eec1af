"""The requests and answers of the HTTP service as pydantic models, with examples."""
