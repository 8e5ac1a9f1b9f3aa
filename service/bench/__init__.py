"""Load on a service, and what it makes of it: httpx, numpy and the standard library only."""
