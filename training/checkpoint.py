"""What a run remembers, on the disk: there whole and as it was written, or refused."""

import io
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from models.files import replace_through
from training.errors import TrainingError

_DIGEST_BYTES = 32  # the last of the file; what comes before is for torch.load


def save(state: Mapping[str, Any], path: Path) -> None:
    """Replace the file in one step, so that a kill or a full disk leaves the old one or the new one."""
    content = io.BytesIO()
    torch.save(dict(state), content)
    content.write(sha256(content.getbuffer()).digest())
    kept = "what it held before is untouched" if path.exists() else "there was none before"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_through(path, content.getvalue())
    except OSError as error:
        raise TrainingError(
            f"the checkpoint {path} cannot be written: {error.strerror}; {kept}. Make room; the same command goes on"
        ) from error


def load(path: Path, device: torch.device) -> dict[str, Any] | None:
    """None if there is none; TrainingError if it is not what was written."""
    try:
        written = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TrainingError(f"the checkpoint {path} cannot be read: {error.strerror}") from error
    content, digest = written[:-_DIGEST_BYTES], written[-_DIGEST_BYTES:]
    if sha256(content).digest() != digest:
        raise TrainingError(
            f"the checkpoint {path} is not what was written: its digest differs; start over with --restart"
        )
    state: dict[str, Any] = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
    return state
