"""Calls are merged, refused, failed and dropped as the batcher promises; a fake graph counts its runs."""

import asyncio
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import noise
from models.noise import Stretch
from service import outcome
from service.batching import Batcher
from service.errors import QueueFull
from service.graph import GraphFailed
from service.jobs import Job, Noise
from service.metrics import Metrics
from service.workers import Workers

LABELS = ("tiny", "1", "graph")


class FakeGraph:
    """Doubles x; a run waits until the graph is opened or the run stopped, and fails on a -13."""

    def __init__(self, loops=False, has_buckets=False, is_steady=False):
        self.is_steady = is_steady
        self.loops = loops
        self.has_buckets = has_buckets
        self.runs = []
        self.stopped = 0
        self.threads = set()
        self.opened = threading.Event()

    def run(self, feeds, outputs, stop):
        self.runs.append(feeds["x"].tolist())
        self.threads.add(threading.current_thread().name)
        while not self.opened.wait(0.001):
            if stop.options.terminate:
                self.stopped += 1
                raise GraphFailed("the run was stopped")
        if -13 in feeds["x"]:
            raise ArithmeticError("-13")
        return dict.fromkeys(outputs, 2 * feeds["x"])

    async def under_way(self, count=1):
        while len(self.runs) < count:
            await asyncio.sleep(0.001)


@pytest.fixture
def graph():
    return FakeGraph()


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def workers():
    """One, so that there is one order of runs."""
    workers = Workers(1)
    yield workers
    workers.close()


@pytest.fixture
def batcher(graph, workers, metrics):
    return new_batcher(graph, workers, metrics)


def new_batcher(graph, workers, metrics, batch_rows=8, queue_rows=16, seconds_per_row=0.0):
    return Batcher(
        graph, workers, metrics, LABELS, batch_rows=batch_rows, queue_rows=queue_rows, seconds_per_row=seconds_per_row
    )


def job(*rows, samples=1, outputs=("y",)):
    return Job(len(rows), samples, outputs, {"x": np.array(rows)})


async def call(batcher, *jobs):
    """The values of y that come back, one list a job."""
    return [outputs["y"].tolist() for outputs in await outputs_of(batcher, *jobs)]


async def outputs_of(batcher, *jobs):
    """What comes back, in the order of the jobs."""
    found = {}
    await batcher.run(sum(job.size for job in jobs), jobs, found.__setitem__)
    return [found[place] for place in range(len(jobs))]


async def while_running(graph, batcher, *calls):
    """The answers of calls that were all made while the run of another was under way."""
    first = asyncio.create_task(call(batcher, job(0)))
    await graph.under_way()
    waiting = [asyncio.create_task(call(batcher, *jobs)) for jobs in calls]
    await asyncio.sleep(0.01)
    graph.opened.set()
    assert await first == [[0]]
    return await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize(
    ("batch_rows", "seconds_per_row", "expected"), [(1024, 1e-5, 1024), (1024, 1e-4, 300), (1024, 1e-3, 256), (8, 1, 8)]
)
def test_job_is_larger_than_a_shared_run_where_it_is_done_soon(
    graph, workers, metrics, batch_rows, seconds_per_row, expected
):
    batcher = new_batcher(graph, workers, metrics, batch_rows=batch_rows, seconds_per_row=seconds_per_row)
    assert batcher.job_rows == pytest.approx(expected, abs=1)


async def test_larger_job_runs_alone_and_others_share_a_run_of_less(graph, workers, metrics):
    batcher = new_batcher(graph, workers, metrics, batch_rows=1024, queue_rows=4096)
    small, large = (job(*range(rows)) for rows in (64, 1024))
    await while_running(graph, batcher, *([small] for _ in range(5)), [large], *([small] for _ in range(3)))
    assert [len(run) for run in graph.runs] == [1, 256, 256, 1024]


async def test_calls_made_during_a_run_become_one_run(graph, batcher):
    answers = await while_running(graph, batcher, *([job(row)] for row in range(1, 9)))
    assert graph.runs == [[0], [1, 2, 3, 4, 5, 6, 7, 8]]
    assert answers == [[[2 * row]] for row in range(1, 9)]


async def test_lone_call_runs_at_once(graph, batcher):
    graph.opened.set()
    assert await call(batcher, job(1)) == [[2]]
    assert await call(batcher, job(2)) == [[4]]
    assert graph.runs == [[1], [2]]


async def test_rows_come_back_to_their_caller(graph, batcher):
    answers = await while_running(graph, batcher, [job(1, 2)], [job(3), job(4, 5)], [job(6)])
    assert graph.runs[1:] == [[1, 2, 3, 6, 4, 5]]
    assert answers == [[[2, 4]], [[6], [8, 10]], [[12]]]


async def test_run_is_never_larger_than_allowed_but_for_a_single_job(graph, batcher):
    large = job(*range(20, 29))
    answers = await while_running(graph, batcher, [job(1, 2, 3, 4, 5)], [job(6, 7, 8, 9)], [job(10)])
    assert graph.runs[1:] == [[1, 2, 3, 4, 5, 10], [6, 7, 8, 9]]
    assert answers[2] == [[20]]
    assert len((await call(batcher, large))[0]) == 9


async def test_samples_count_as_rows(graph, batcher):
    await while_running(graph, batcher, [job(1, samples=4)], [job(2, samples=4)], [job(3, samples=4)])
    assert graph.runs[1:] == [[1, 2], [3]]


async def test_jobs_of_other_samples_do_not_share(graph, batcher):
    answers = await while_running(graph, batcher, [job(1)], [job(2, samples=3)], [job(3)])
    assert graph.runs[1:] == [[1, 3], [2]]
    assert answers == [[[2]], [[4]], [[6]]]


async def test_jobs_share_whatever_outputs_they_want_and_each_gets_its_own(graph, batcher):
    first = asyncio.create_task(call(batcher, job(0)))
    await graph.under_way()
    wanted = [("y",), ("z",), ("z", "y")]
    waiting = [asyncio.create_task(outputs_of(batcher, job(row, outputs=names))) for row, names in enumerate(wanted)]
    await asyncio.sleep(0)
    graph.opened.set()
    answers = await asyncio.gather(*waiting)
    await first
    assert graph.runs == [[0], [0, 1, 2]]
    assert [{name: array.tolist() for name, array in answer.items()} for (answer,) in answers] == [
        {name: [2 * row] for name in names} for row, names in enumerate(wanted)
    ]


async def test_no_job_of_a_call_that_is_refused_is_made(graph, batcher):
    first = asyncio.create_task(call(batcher, job(0)))
    await graph.under_way()
    waiting = asyncio.gather(call(batcher, job(*range(8))), call(batcher, job(*range(8))))
    await asyncio.sleep(0)
    jobs = iter([job(1)])
    with pytest.raises(QueueFull):
        await batcher.run(1, jobs, lambda place, outputs: None)
    assert len(list(jobs)) == 1
    graph.opened.set()
    await asyncio.gather(first, waiting)


async def test_caller_who_cannot_take_what_comes_fails_alone(graph, batcher):
    def no_memory(place, outputs):
        raise MemoryError

    first = asyncio.create_task(call(batcher, job(0)))
    await graph.under_way()
    poor = asyncio.create_task(batcher.run(2, [job(1), job(2)], no_memory))
    other = asyncio.create_task(call(batcher, job(3)))
    await asyncio.sleep(0)
    graph.opened.set()
    with pytest.raises(MemoryError):
        await poor
    assert await asyncio.gather(first, other) == [[[0]], [[6]]]
    assert graph.runs == [[0], [1, 3, 2], [1], [3]], "one by one, and no further job of who failed"
    assert await call(batcher, job(4)) == [[8]]


@pytest.mark.parametrize("step", ["merge", "split", "wanted"])
async def test_step_that_breaks_once_costs_nobody_an_answer(graph, batcher, monkeypatch, step):
    whole, broken = getattr(outcome, step), []

    def breaks_once(*arguments):
        if len(arguments[-1]) > 1 and not broken:
            broken.append(True)
            raise RuntimeError(step)
        return whole(*arguments)

    monkeypatch.setattr(outcome, step, breaks_once)
    assert await while_running(graph, batcher, [job(1)], [job(2), job(3)]) == [[[2]], [[4], [6]]]
    assert broken


async def test_answers_that_cannot_be_handed_out_are_run_again(graph, batcher, monkeypatch):
    class Once(Exception):
        pass

    def fails_once(size):
        monkeypatch.undo()
        raise Once

    first = asyncio.create_task(call(batcher, job(0)))
    await graph.under_way()
    monkeypatch.setattr(batcher._admission, "note", fails_once)
    others = asyncio.gather(call(batcher, job(1)), call(batcher, job(2), job(3)), return_exceptions=True)
    await asyncio.sleep(0)
    graph.opened.set()
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], Once), "it was alone in its run"
    assert await others == [[[2]], [[4], [6]]]


async def test_full_queue_refuses_and_says_when_to_come_back(graph, batcher, metrics):
    first = asyncio.create_task(call(batcher, job(0)))
    await graph.under_way()
    waiting = asyncio.gather(call(batcher, job(*range(8))), call(batcher, job(*range(7))))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull) as refused:
        await call(batcher, job(1, 2))
    assert refused.value.retry_after >= 1
    fitting = asyncio.create_task(call(batcher, job(1)))
    graph.opened.set()
    await asyncio.gather(first, waiting, fitting)
    assert b'reparam_rejected_total{reason="queue_full"} 1.0' in metrics.render()
    assert await call(batcher, job(1, 2)) == [[2, 4]]


async def test_first_that_waits_may_be_larger_than_the_queue(graph, batcher):
    answers = await while_running(graph, batcher, [job(*range(100))])
    assert len(answers[0][0]) == 100


LONG = [job(*range(8 * part, 8 * part + 8)) for part in range(1, 6)]  # two and a half times what may wait


async def test_calls_take_turns_a_run_each(graph, workers, metrics):
    batcher = new_batcher(graph, workers, metrics, queue_rows=100)
    answers = await while_running(graph, batcher, LONG, [job(*range(60, 68)), job(70)], [job(99)])
    assert [run[0] for run in graph.runs[1:]] == [8, 60, 99, 16, 24, 32, 40]
    assert graph.runs[3] == [99, 70]
    assert answers == [
        [[2 * row for row in range(start, start + 8)] for start in range(8, 48, 8)],
        [[2 * row for row in range(60, 68)], [140]],
        [[198]],
    ]


async def test_small_calls_are_not_refused_while_a_long_one_runs(graph, batcher, metrics):
    answers = await while_running(graph, batcher, LONG, *([job(row)] for row in range(60, 68)))
    assert len(answers[0]) == 5
    assert answers[1:] == [[[2 * row]] for row in range(60, 68)]
    assert b'reparam_rejected_total{reason="queue_full"} 0.0' in metrics.render()


async def test_call_is_refused_by_what_waits_and_not_by_what_runs(graph, batcher):
    running = asyncio.create_task(call(batcher, job(*range(100))))
    await graph.under_way()
    waiting = asyncio.create_task(call(batcher, *LONG))
    await asyncio.sleep(0)
    fitting = asyncio.create_task(call(batcher, job(*range(8))))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull, match="48 rows wait for this graph already"):
        await call(batcher, job(1))
    graph.opened.set()
    assert [len(answers) for answers in await asyncio.gather(running, waiting, fitting)] == [1, 5, 1]


async def test_retry_after_grows_with_the_work_that_waits(graph, batcher):
    batcher._admission._seconds = 0.5
    first = asyncio.create_task(call(batcher, job(0)))
    await graph.under_way()
    waiting = asyncio.gather(call(batcher, job(*range(8))), call(batcher, job(*range(7))))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull) as refused:
        await call(batcher, job(1, 2))
    assert refused.value.retry_after == 8
    graph.opened.set()
    await asyncio.gather(first, waiting)


async def test_of_a_run_that_fails_only_those_fail_that_fail_alone(graph, batcher):
    answers = await while_running(graph, batcher, [job(1)], [job(-13)], [job(2, 3)])
    assert answers[::2] == [[[2]], [[4, 6]]]
    assert isinstance(answers[1], ArithmeticError)
    assert graph.runs[1:] == [[1, -13, 2, 3], [1], [-13], [2, 3]]
    assert await call(batcher, job(7)) == [[14]]


async def test_run_that_failed_changes_nothing_for_what_waits_behind_it(graph, batcher):
    answers = await while_running(graph, batcher, [job(-13)], [job(*range(20, 28))])
    assert isinstance(answers[0], ArithmeticError)
    assert answers[1] == [[2 * row for row in range(20, 28)]]
    assert graph.runs[1:] == [[-13], [*range(20, 28)]]


CALLS = st.lists(
    st.lists(
        st.tuples(st.lists(st.sampled_from([1, 2, 3, 4, 5, -13]), min_size=1, max_size=9), st.integers(1, 2)),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30)
@given(asked=CALLS, leaving=st.sets(st.integers(0, 5)), has_buckets=st.booleans(), loops=st.booleans())
def test_each_caller_gets_its_own_rows_or_its_own_failure(asked, leaving, has_buckets, loops):
    """Whatever the others ask, fail at or leave; rows of the same value are told apart by what is added to them."""

    async def ask():
        graph, workers = FakeGraph(loops=loops, has_buckets=has_buckets), Workers(1)
        batcher = new_batcher(graph, workers, Metrics(), queue_rows=10**6)
        first = asyncio.create_task(call(batcher, job(0)))
        await graph.under_way()
        calls = [asyncio.create_task(call(batcher, *jobs)) for jobs in unlike(asked)]
        await asyncio.sleep(0)
        for place in leaving & set(range(len(calls))):
            calls[place].cancel()
        graph.opened.set()
        assert await first == [[0]]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        workers.close()
        return answers

    for place, (wanted, answer) in enumerate(zip(asked, asyncio.run(ask()), strict=True)):
        if place in leaving:
            assert isinstance(answer, asyncio.CancelledError)
        elif any(-13 in rows for rows, _ in wanted):
            assert isinstance(answer, ArithmeticError)
        else:
            assert answer == [[2 * (row + 100 * place) for row in rows] for rows, _ in wanted]


def unlike(asked):
    """The calls as jobs, in which each row tells whose it is."""
    for place, wanted in enumerate(asked):
        yield [
            job(*(row if row == -13 else row + 100 * place for row in rows), samples=samples)
            for rows, samples in wanted
        ]


async def test_every_job_of_a_call_that_failed_is_dropped(graph, batcher, metrics):
    answers = await while_running(graph, batcher, [job(-13), *(job(*range(8)) for _ in range(5))])
    assert isinstance(answers[0], ArithmeticError)
    assert graph.runs[1:] == [[-13]]
    assert b'reparam_queue_rows{graph="graph",model="tiny",version="1"} 0.0' in metrics.render()


async def test_rest_of_a_call_that_failed_is_not_run(graph, batcher):
    answers = await while_running(graph, batcher, [job(-13), job(1, samples=3)], [job(2, samples=2)])
    assert isinstance(answers[0], ArithmeticError)
    assert graph.runs == [[0], [-13], [2]]


async def test_callers_who_left_are_dropped_before_the_run(graph, batcher, metrics):
    first = asyncio.create_task(call(batcher, job(0)))
    await graph.under_way()
    leaving, staying = [asyncio.create_task(call(batcher, job(row))) for row in (1, 2)]
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    graph.opened.set()
    assert await staying == [[4]]
    await first
    assert graph.runs == [[0], [2]]
    assert b'reparam_cancelled_total{stage="queue"} 1.0' in metrics.render()
    assert b'reparam_queue_rows{graph="graph",model="tiny",version="1"} 0.0' in metrics.render()


async def leave(*callers):
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)


async def test_run_goes_on_for_a_caller_who_stays(graph, batcher):
    leaving, staying = [asyncio.create_task(call(batcher, job(row))) for row in (1, 2)]
    await graph.under_way()
    await leave(leaving)
    graph.opened.set()
    assert await staying == [[4]]
    assert (graph.runs, graph.stopped) == ([[1, 2]], 0)


async def test_run_whose_callers_have_all_left_is_stopped_and_the_next_begins(graph, batcher, metrics):
    leaving = asyncio.create_task(call(batcher, job(0), job(1)))
    await graph.under_way()
    waiting = asyncio.create_task(call(batcher, job(2)))
    await asyncio.sleep(0)
    await leave(leaving)
    await graph.under_way(2)
    graph.opened.set()
    assert await waiting == [[4]]
    assert (graph.runs, graph.stopped) == ([[0, 1], [2]], 1)
    assert b'reparam_cancelled_total{stage="run"} 1.0' in metrics.render()


async def test_loop_that_one_caller_has_left_is_stopped_and_run_again_for_the_others(workers, metrics):
    """The row that left may be the one that never ends."""
    graph = FakeGraph(loops=True)
    batcher = new_batcher(graph, workers, metrics)
    leaving, *staying = [asyncio.create_task(call(batcher, job(row))) for row in (1, 2, 3)]
    await graph.under_way()
    await leave(leaving)
    await graph.under_way(2)
    graph.opened.set()
    assert await asyncio.gather(*staying) == [[[4]], [[6]]]
    assert (graph.runs, graph.stopped) == ([[1, 2, 3], [2], [3]], 1)


async def test_noise_of_a_run_is_drawn_once_for_all_in_its_thread(graph, batcher, monkeypatch):
    drawn = []

    def draw_together(kind, name, shape, stretches):
        drawn.append((threading.current_thread().name, [stretch.seed for stretch in stretches]))
        return noise.draw_together(kind, name, shape, stretches)

    monkeypatch.setattr("service.jobs.noise", SimpleNamespace(draw_together=draw_together))
    one, two = (Job(1, 1, ("y",), {"x": Noise("normal", "x", (), Stretch(seed))}) for seed in (1, 2))
    answers = await while_running(graph, batcher, [one], [two])
    assert [seeds for _, seeds in drawn] == [[1, 2]]
    assert drawn[0][0].startswith("run")
    assert answers == [[(2 * noise.draw("normal", "x", (), seed=seed)).tolist()] for seed in (1, 2)]


async def test_runs_and_waits_are_measured(graph, batcher, metrics):
    await while_running(graph, batcher, [job(1)], [job(2, 3, samples=2)])
    text = metrics.render().decode()
    labels = '{graph="graph",model="tiny",version="1"}'
    assert f"reparam_batch_rows_sum{labels} 6.0" in text
    assert f"reparam_infer_duration_seconds_count{labels} 3.0" in text
    assert f"reparam_queue_duration_seconds_count{labels} 3.0" in text


async def test_runs_with_buckets_have_a_power_of_two_of_rows(workers, metrics):
    graph = FakeGraph(has_buckets=True)
    graph.opened.set()
    batcher = new_batcher(graph, workers, metrics)
    assert await asyncio.gather(call(batcher, job(1, 2)), call(batcher, job(3))) == [[[2, 4]], [[6]]]
    assert await call(batcher, job(1, 2, 3, 4)) == [[2, 4, 6, 8]]
    assert graph.runs == [[1, 2, 3, 3], [1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("seconds", "is_steady", "here"), [(1e-5, True, True), (0.1, True, False), (1e-5, False, False)]
)
async def test_short_work_of_known_cost_needs_no_thread(workers, metrics, seconds, is_steady, here):
    graph = FakeGraph(is_steady=is_steady)
    graph.opened.set()
    batcher = new_batcher(graph, workers, metrics, seconds_per_row=seconds)
    answers = await asyncio.gather(*(call(batcher, job(row)) for row in (1, 2)))
    assert answers == [[[2]], [[4]]]
    assert graph.runs == [[1, 2]]
    assert (graph.threads == {threading.current_thread().name}) == here


async def test_short_work_that_fails_fails_alone(workers, metrics):
    graph = FakeGraph(is_steady=True)
    graph.opened.set()
    batcher = new_batcher(graph, workers, metrics, seconds_per_row=1e-6)
    answers = await asyncio.gather(*(call(batcher, job(row)) for row in (1, -13)), return_exceptions=True)
    assert answers[0] == [[2]]
    assert isinstance(answers[1], ArithmeticError)


@pytest.mark.parametrize(("rows", "seconds", "runs"), [(8, 1e-6, 2), (7, 1e-6, 1), (1, 0.1, 2)])
async def test_full_batch_or_much_work_does_not_wait_while_a_worker_is_free(metrics, rows, seconds, runs):
    graph, workers = FakeGraph(), Workers(2)
    batcher = new_batcher(graph, workers, metrics, seconds_per_row=seconds)
    first = asyncio.create_task(call(batcher, job(0)))
    await graph.under_way()
    second = asyncio.create_task(call(batcher, job(*range(rows))))
    await asyncio.sleep(0.05)
    assert len(graph.runs) == runs
    graph.opened.set()
    assert await asyncio.gather(first, second) == [[[0]], [[2 * row for row in range(rows)]]]
    workers.close()
