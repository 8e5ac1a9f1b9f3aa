"""reparam-verify: check bundles as the service does before it serves them, and say what holds and what does not."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from models.errors import BundleError, ReparamError
from models.manifest import OperationName
from models.repository import MANIFEST, Bundle, Repository, read_bundle
from service.graph import Graph, Provider, provider
from service.inspection import inspect
from service.loading import prove


class Finding(NamedTuple):
    """One thing that was checked; `complaint` is empty where it holds."""

    checked: str
    complaint: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="reparam-verify", description="Check bundles as the service would.")
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="a bundle, or a folder that holds bundles")
    parser.add_argument("--device", default="auto", choices=("auto", "cuda", "cpu"))
    arguments = parser.parse_args()
    try:
        on = provider(arguments.device)
    except ReparamError as error:
        print(f"reparam-verify: {error}", file=sys.stderr)
        return 1
    bundles = [bundle for folder in arguments.folders for bundle in _bundles(folder)]
    verdicts = [_report(bundle, list(verify(bundle, on))) for bundle in bundles]
    print(f"{sum(verdicts)} of {len(verdicts)} bundles hold")
    return 0 if verdicts and all(verdicts) else 1


def verify(folder: Path, on: Provider) -> Iterator[Finding]:
    """The bundle in `folder`, check by check; what rests on a check that failed is not tried."""
    try:
        bundle = read_bundle(folder)
    except BundleError as error:
        yield Finding("digests", str(error))
        return
    yield Finding(f"digests of {len(bundle.files)} files")
    yield _verify_place(bundle, folder)
    for file in bundle.manifest.graphs:
        yield from _verify_graph(bundle, file, on)


def _verify_place(bundle: Bundle, folder: Path) -> Finding:
    place = "/".join(folder.resolve().parts[-2:])
    named = f"{bundle.manifest.name}/{bundle.manifest.version}"
    return Finding("place", "" if place == named else f"the manifest says {named}, the folder {place}")


def _verify_graph(bundle: Bundle, file: str, on: Provider) -> Iterator[Finding]:
    try:
        inspect(bundle.files[file], file, bundle.manifest)
        graph = Graph(bundle.files[file], on)
    except BundleError as error:
        yield Finding(file, str(error))
        return
    yield Finding(f"contents of {file}")
    for name, operation in bundle.manifest.operations.items():
        if operation.graph == file:
            yield _verify_numbers(bundle, name, graph)


def _verify_numbers(bundle: Bundle, name: OperationName, graph: Graph) -> Finding:
    try:
        prove(bundle, name, graph)
    except BundleError as error:
        return Finding(f"numbers of {name}", str(error))
    return Finding(f"numbers of {name}")


def _bundles(folder: Path) -> list[Path]:
    """The folder itself, or the bundles below it, those without a manifest too; what holds none is reported as one."""
    if (folder / MANIFEST).exists():
        return [folder]
    listed = [folder / name / version for name, version in Repository(folder).list()]
    return listed or sorted(manifest.parent for manifest in folder.glob(f"*/{MANIFEST}")) or [folder]


def _report(folder: Path, findings: list[Finding]) -> bool:
    print(folder)
    for finding in findings:
        print(f"  FAILS {finding.checked}: {finding.complaint}" if finding.complaint else f"  holds {finding.checked}")
    return not any(finding.complaint for finding in findings)


if __name__ == "__main__":
    sys.exit(main())
