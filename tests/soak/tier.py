"""How long the table may take: minutes by default, hours with SOAK=long."""

import os
from typing import TypeVar

T = TypeVar("T")

IS_LONG = os.environ.get("SOAK") == "long"


def tier(short: T, long: T) -> T:
    return long if IS_LONG else short
