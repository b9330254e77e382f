"""The domain's rules as tests; the tree mirrors `jobs`."""
