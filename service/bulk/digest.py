"""What tells whether data are the same: the digest of all their bytes."""

from hashlib import file_digest, sha256
from pathlib import Path

from service.bulk.image_folder import images_in


def digest(path: Path) -> str:
    """Of a file, or of the names and contents of a folder's images."""
    if not path.is_dir():
        return _of_file(path)
    whole = sha256()
    for file in images_in(path):
        whole.update(f"{file.name}\0{_of_file(file)}\n".encode())
    return whole.hexdigest()


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
