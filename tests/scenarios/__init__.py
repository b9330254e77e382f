"""Our own scenario files, and the test that runs them."""
