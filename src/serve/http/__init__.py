"""HTTP itself: parsing, middleware, the OpenAPI document and its page."""
