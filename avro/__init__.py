"""The event contracts: one documented Avro schema per event and output record, and the codec of the wire format."""
