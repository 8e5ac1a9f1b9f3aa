"""python -m training.evaluation.pin: train the classifiers that are kept, write their files, print their digests."""

from hashlib import sha256

import torch
from safetensors.torch import save

from training import datasets
from training.evaluation.classifier import PINNED, Classifier, file_of

if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in PINNED:
        weights = Classifier(datasets.load(name, labels=True)).network.state_dict()
        content = save({key: value.contiguous() for key, value in weights.items()})
        file_of(name).write_bytes(content)
        print(name, sha256(content).hexdigest())
