"""The topics as tests; the tree mirrors `topics`."""
