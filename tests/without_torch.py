"""A pytest plugin: what only training needs is as if it were not installed."""

import sys
from importlib.abc import MetaPathFinder

HIDDEN = frozenset({"torch", "lightning_fabric", "sklearn", "onnxscript", "training"})


class _Hidden(MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if fullname.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


sys.meta_path.insert(0, _Hidden())
