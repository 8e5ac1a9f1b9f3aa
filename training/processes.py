"""The processes that train together: one, or as many as `torchrun` started."""

import os

from lightning_fabric import Fabric

from training.errors import RecipeError, TrainingError
from training.recipe import Training


def launch(settings: Training, device: str) -> Fabric:
    """The Fabric of this process; RecipeError if the batch cannot be shared, TrainingError without the device."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if settings.batch_size % processes:
        raise RecipeError(f"{processes} processes cannot share a batch_size of {settings.batch_size}; take a multiple")
    try:
        fabric = Fabric(
            accelerator=device,
            devices=here,
            num_nodes=processes // here,
            strategy="ddp" if processes > 1 else "auto",
            precision=settings.precision,
        )
    except RuntimeError as error:
        raise TrainingError(f"the device {device} is not there; use auto or cpu") from error
    fabric.launch()
    return fabric


def is_first() -> bool:
    """Whether this process is the one that writes."""
    return os.environ.get("RANK", "0") == "0"
