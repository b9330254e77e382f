"""The sink: from Kafka into ClickHouse, each record once."""
