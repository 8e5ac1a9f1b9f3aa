"""reparam-train: the command line of training."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from models.errors import ReparamError
from models.provenance import Figure
from models.repository import SHIPPED, read_bundle
from training.pipeline import train
from training.publication import evaluate_again

_TELLING = 0.6  # a share of pairs; 0.5 is a guess


def main() -> int:
    arguments = _arguments()
    try:
        if arguments.evaluate is not None:
            _print(evaluate_again(arguments.evaluate).provenance.figures)
        else:
            folder = train(
                arguments.recipe,
                arguments.repository,
                arguments.runs,
                seeds=arguments.seeds,
                restart=arguments.restart,
                device=arguments.device,
            )
            if folder is not None:
                print(f"published {folder}")
                _warn(read_bundle(folder).manifest.provenance.figures)
    except ReparamError as error:
        print(f"reparam-train: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"reparam-train: {error}; the same command goes on from the last epoch", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("reparam-train: stopped; the same command goes on from the last epoch", file=sys.stderr)
        return 130
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="reparam-train", description="Train a model by a recipe and publish it.")
    job = parser.add_mutually_exclusive_group(required=True)
    job.add_argument("recipe", type=Path, nargs="?", help="a TOML file, such as training/recipes/vae-digits.toml")
    job.add_argument("--evaluate", type=Path, metavar="BUNDLE", help="measure a bundle again and rewrite its card")
    parser.add_argument("--repository", type=Path, default=SHIPPED, help="where to publish (%(default)s)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where checkpoints are kept (%(default)s)")
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        help="train so many times, with the recipe's seed and those after it; publish "
        "the first, with the figures of all",
    )
    parser.add_argument("--restart", action="store_true", help="forget the checkpoint of an earlier run")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    return parser.parse_args()


def _warn(figures: Mapping[str, Figure]) -> None:
    told = figures.get("membership_auc")
    if told is not None and told.value > _TELLING:
        print(
            f"reparam-train: its scores tell training examples from others (membership_auc {told.value:.2f}); "
            'if those are private, keep_back = ["score"] in the recipe',
            file=sys.stderr,
        )


def _print(figures: Mapping[str, Figure]) -> None:
    for name, figure in figures.items():
        error = "" if figure.std_error is None else f" ± {figure.std_error:.4f}"
        print(f"{name:>16} {figure.value:.4f}{error} {figure.unit} ({figure.split}, {figure.examples} examples)")


if __name__ == "__main__":
    sys.exit(main())
