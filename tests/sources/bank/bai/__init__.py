"""BAI2 statements and lockbox files."""
