"""make bench: how fast things are on this machine, beside others in the same run; prints, asserts nothing."""

import sys
from importlib import import_module

BENCHMARKS = (
    "serving",
    "rates",
    "fairness",
    "scores",
    "bulk",
    "soak",
    "playground",
    "sampling",
    "training",
    "device",
    "start",
    "peers",
)


def main() -> None:
    for name in sys.argv[1:] or BENCHMARKS:
        import_module(f"tests.benchmarks.{name}").run()


if __name__ == "__main__":
    main()
