"""Ready mappings of ERPs, one folder each: data that `sources.mapping` reads (`arrears mappings list` shows them)."""
