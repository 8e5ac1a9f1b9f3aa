"""python -m training.evaluation.reference: print what images of the training split get in place of samples."""

from training import datasets
from training.evaluation.classifier import PINNED
from training.evaluation.quality import SAMPLES, judge_images

if __name__ == "__main__":
    for name in PINNED:
        images = datasets.load(name)
        for figure, judged in judge_images(images.train[:SAMPLES], images).items():
            print(name, figure, f"{judged.value:.4f}", judged.unit)
