"""ClickHouse's HTTP protocol in front of the embedded engine (chdb), as one program of its own.

It speaks what clickhouse-connect, curl and JDBC clients need: queries with typed parameters, inserts in any format,
settings, sessions, compression both ways, error codes. It knows one user; roles and row policies need a real
server.
"""
