"""The contracts as tests; the tree mirrors `avro`."""
