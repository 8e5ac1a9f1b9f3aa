import random

import pytest

from tests.fuzz.readers import READERS
from tests.mutants import mutated


@pytest.mark.parametrize("name", sorted(READERS.keys() - {"planted"}))
def test_seeds_are_read_and_what_is_like_them_is_read_or_refused(name):
    reader, chance = READERS[name], random.Random(1)
    refused = 0
    for seed in reader.seeds():
        reader.read(seed)
        for _ in range(100):
            try:
                reader.read(mutated(seed, chance))
            except reader.refusals:
                refused += 1
    assert refused > 100


def test_planted_fault_is_no_refusal():
    with pytest.raises(ZeroDivisionError):
        READERS["planted"].read(b'\0{"num_samples": 100, "index": 100}')
