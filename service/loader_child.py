"""The process in which bundles are tried first: told on its standard input which, it answers whether they hold."""

import os
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from models.errors import ReparamError
from models.repository import Repository
from service import logs, niceness
from service.loader import Question, Terms, Verdict
from service.loading import load
from service.reason import reason


def main() -> int:
    logs.configure()
    niceness.step_back(niceness.LOADING)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever asked is gone: there is nothing to tell
    answers = _standard_output()
    terms = Terms.model_validate_json(sys.stdin.buffer.readline())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _tell(answers, Verdict())
    for line in sys.stdin.buffer:
        _limit(terms)
        _tell(answers, _try(Question.model_validate_json(line), terms))
    return 0


def _try(question: Question, terms: Terms) -> Verdict:
    """On the CPU, whatever the service runs on: address space on a GPU says nothing of memory."""
    try:
        bundle = Repository(terms.repository).read(question.name, question.version)
        load(bundle, "CPUExecutionProvider", terms.threads, terms.golden_seconds)
    except Exception as error:  # a bundle comes from anywhere
        if _is_of_memory(error):
            needed = f"loading it takes more than {terms.load_bytes / 2**20:,.0f} MiB of memory"
            return Verdict(refusal=f"{needed}; the setting load_bytes allows more")
        return Verdict(refusal=reason(error, question.name, question.version))
    return Verdict(digest=bundle.digest)


def _limit(terms: Terms) -> None:
    """From here on: so much more memory, and as much processor time as whoever waits will wait.

    The second counts where nobody waits any more.
    """
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _set(resource.RLIMIT_AS, pages * resource.getpagesize() + terms.load_bytes)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _set(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + terms.threads * terms.load_seconds) + 1)


def _set(limit: int, value: int) -> None:
    """As far as the limit that the process came with."""
    _, most = resource.getrlimit(limit)
    resource.setrlimit(limit, (value if most == resource.RLIM_INFINITY else min(value, most), most))


def _is_of_memory(error: BaseException | None) -> bool:
    """ONNX Runtime says so in words only."""
    if isinstance(error, ReparamError):
        return _is_of_memory(error.__cause__)
    return isinstance(error, MemoryError) or "alloc" in str(error)


def _standard_output() -> BinaryIO:
    """For answers alone; what else is printed goes where errors go."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _tell(answers: BinaryIO, verdict: Verdict) -> None:
    answers.write(verdict.model_dump_json().encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
