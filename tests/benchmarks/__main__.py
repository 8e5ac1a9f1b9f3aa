"""make bench: how fast things are on this machine, beside others in the same run; prints, asserts nothing."""

import sys

from tests.benchmarks import rates, sampling, serving, soak, training
from tests.benchmarks.peers import run as peers

BENCHMARKS = {
    "serving": serving.run,
    "rates": rates.run,
    "soak": soak.run,
    "sampling": sampling.run,
    "training": training.run,
    "peers": peers.run,
}


def main() -> None:
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
