"""Request parsing, middleware, the OpenAPI document and its page."""
