"""Every view against a slow, obvious computation in Python, over the sample company's months."""
