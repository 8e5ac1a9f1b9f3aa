"""The HTTP contract in pydantic: a request and a response for each endpoint."""
