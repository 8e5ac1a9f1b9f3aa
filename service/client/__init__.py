"""The Python client: `Reparam` asks a service, `AsyncReparam` does so in asyncio; needs httpx and numpy only."""

from service.client.problems import Problem, RequestFailed, Unreachable
from service.client.reparam import AsyncReparam, Reparam

__all__ = ["AsyncReparam", "Problem", "Reparam", "RequestFailed", "Unreachable"]
