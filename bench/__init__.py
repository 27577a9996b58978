"""The benchmark: a generator of raw tables at size, and a hand-written baseline."""
