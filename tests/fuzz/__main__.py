"""python -m tests.fuzz READER SECONDS: atheris feeds it; what it learned stays in build/fuzz, and so does a crash."""

import random
import sys
from contextlib import suppress
from hashlib import sha256

import atheris

from tests.live_server import ROOT

with atheris.instrument_imports(include=["models", "service"]):
    from tests.fuzz.readers import READERS
from tests.mutants import mutated

_LONGEST = 8192  # bytes of an input
_SLOWEST = 10  # seconds for an input
_MOST = 2048  # MiB for the process


def main() -> None:
    name, seconds = sys.argv[1:]
    reader = READERS[name]
    folder = ROOT / "build" / "fuzz" / name
    folder.mkdir(parents=True, exist_ok=True)
    seeds = reader.seeds()
    for seed in seeds:
        reader.read(seed)
        (folder / sha256(seed).hexdigest()).write_bytes(seed)

    def feed(body: bytes) -> None:
        with suppress(*reader.refusals):
            reader.read(body)

    def change(body: bytes, most: int, seed: int) -> bytes:
        """By libFuzzer's ways, which know bytes and what was compared, and by ours, which know formats.

        Now and then from a seed: libFuzzer gives up what covers no more than others do.
        """
        chance = random.Random(seed)
        body = chance.choice(seeds) if chance.random() < 0.25 else body
        return atheris.Mutate(body, most) if chance.random() < 0.5 else mutated(body, chance)[:most]

    limits = (f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-timeout={_SLOWEST}", f"-rss_limit_mb={_MOST}")
    found = f"-artifact_prefix={folder.parent}/{name}-"
    atheris.Setup([sys.argv[0], str(folder), *limits, found], feed, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
