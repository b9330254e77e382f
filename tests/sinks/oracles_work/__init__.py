"""The views of work and behaviour against slow obvious computations over lists of events, on random histories."""
