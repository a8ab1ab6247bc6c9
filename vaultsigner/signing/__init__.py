"""The pipeline: what happens to a request between the HTTP layer and custody. Knows no HTTP statuses and no keys."""
