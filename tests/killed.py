"""Processes that are killed, or run out of disk, at a chosen step of their writing."""

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path

# Every call that changes what the disk holds, as the code makes it.
STEPS = ((os, "fsync"), (Path, "rename"), (Path, "replace"), (Path, "mkdir"), (tempfile, "mkdtemp"))


def forked(module: str) -> multiprocessing.context.ForkServerContext:
    """Processes that begin with this module imported, forked from one that has done nothing else."""
    context = multiprocessing.get_context("forkserver")
    if forkserver._forkserver._preload_modules != [module]:
        forkserver._forkserver._stop()  # the one there is knows another module, and each process would import its own
        context.set_forkserver_preload([module])
    return context


def before_step(number: int, happens: Callable[[], None]) -> Callable[[], None]:
    """Have something happen before that step of all steps, counted from 0; returns what undoes it."""
    steps, genuine = iter(range(1_000_000)), [(owner, name, getattr(owner, name)) for owner, name in STEPS]

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **options: object) -> object:
            if next(steps) == number:
                happens()
            return call(*arguments, **options)

        return step

    for owner, name, call in genuine:
        setattr(owner, name, counted(call))
    return lambda: [setattr(owner, name, call) for owner, name, call in genuine] and None


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
