"""The runtime: settings, worker, micro-batches, partition store, commit protocol, clock, local stack."""
