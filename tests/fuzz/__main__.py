"""python -m tests.fuzz READER SECONDS FOLDER: atheris feeds it; what it learns is in the folder, a crash beside it."""

import random
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["models", "service", "tests.fuzz"]):
    from tests.fuzz.readers import READERS
from tests.mutants import mutated

_LONGEST = 8192  # bytes of an input
_SLOWEST = 10  # seconds for an input
_MOST = 2048  # MiB for the process


def main() -> None:
    name, seconds, kept = sys.argv[1:]
    reader, folder = READERS[name], Path(kept)
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

    options = (
        "-reduce_inputs=0",  # what covers as much in fewer bytes has lost what the next step may need
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST}",
        f"-timeout={_SLOWEST}",
        f"-rss_limit_mb={_MOST}",
        f"-artifact_prefix={folder}-",
    )
    atheris.Setup([sys.argv[0], str(folder), *options], feed, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
