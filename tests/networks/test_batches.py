"""Samples of many threads in batches: everyone gets what is theirs, errors included, and nobody waits forever."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from thgeval.engine.workers import Cores
from thgeval.networks.batches import Batches


def doubled(kind, samples):
    return [(kind, 2 * sample) for sample in samples]


def test_everyone_gets_their_own_results_in_order():
    with Batches(doubled, lambda kind: 4) as batches, ThreadPoolExecutor(8) as threads:
        calls = [(f"kind{number % 3}", list(range(number, number + number % 11))) for number in range(200)]
        found = threads.map(lambda call: batches.results(*call), calls)
        for (kind, samples), results in zip(calls, found, strict=True):
            assert results == [(kind, 2 * sample) for sample in samples]


def test_batches_hold_samples_of_one_kind_and_no_more_than_their_size():
    seen, begun, gate = [], threading.Event(), threading.Event()

    def work(kind, samples):
        begun.set()
        gate.wait(10)
        seen.append((kind, samples))
        return samples

    with Batches(work, {"a": 4, "b": 2}.__getitem__) as batches, ThreadPoolExecutor(8) as threads:
        first = threads.submit(batches.results, "a", [0])
        assert begun.wait(10)
        others = []
        for kind, samples in (("a", [1, 2, 3]), ("b", [5, 6, 7]), ("a", [8, 9, 10, 11])):
            others.append(threads.submit(batches.results, kind, samples))
            while sum(len(line) for line in batches._lines.values()) < sum((3, 3, 4)[: len(others)]):
                time.sleep(0.001)
        gate.set()
        assert [first.result(10), *(other.result(10) for other in others)] == [
            [0],
            [1, 2, 3],
            [5, 6, 7],
            [8, 9, 10, 11],
        ]
    assert seen == [("a", [0]), ("a", [1, 2, 3, 8]), ("b", [5, 6]), ("a", [9, 10, 11]), ("b", [7])]


def test_an_error_reaches_those_whose_samples_it_is_about():
    def work(kind, samples):
        if 13 in samples:
            raise ValueError("unlucky")
        return doubled(kind, samples)

    with Batches(work, lambda kind: 16) as batches, ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(batches.results, "a", [number, number]) for number in range(40)]
        for number, call in enumerate(calls):
            if number == 13:
                with pytest.raises(ValueError, match="unlucky"):
                    call.result(10)
            else:
                assert call.result(10) == [("a", 2 * number)] * 2
        with pytest.raises(ValueError, match="unlucky"):
            batches.results("a", list(range(100)))
        assert batches.results("a", [1]) == [("a", 2)]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), MemoryError()])
def test_no_error_ends_the_thread(error):
    def work(kind, samples):
        if kind == "bad":
            raise error
        return samples

    with Batches(work, lambda kind: 2) as batches:
        with pytest.raises(type(error)):
            batches.results("bad", [1, 2, 3])
        assert batches.results("good", [1, 2, 3]) == [1, 2, 3]


def test_results_that_are_missing_are_an_error():
    with Batches(lambda kind, samples: samples[1:], lambda kind: 3) as batches, pytest.raises(ValueError, match="zip"):
        batches.results("a", [1, 2])


def test_what_was_handed_in_is_finished_and_then_no_more_is_taken():
    gate, found = threading.Event(), []

    def work(kind, samples):
        gate.wait(10)
        return samples

    batches = Batches(work, lambda kind: 1)
    with batches:
        caller = threading.Thread(target=lambda: found.append(batches.results("a", [1, 2, 3])))
        caller.start()
        while not batches._lines:
            time.sleep(0.001)
        threading.Timer(0.05, gate.set).start()
    caller.join(10)
    assert found == [[1, 2, 3]]
    with pytest.raises(RuntimeError, match="no more"):
        batches.results("a", [1])


def test_nothing_to_do_is_done_at_once_and_takes_no_time():
    with Batches(doubled, lambda kind: 1) as batches:
        assert batches.results("a", []) == []
        before = time.process_time()
        time.sleep(0.2)
        assert time.process_time() - before < 0.1


@pytest.mark.parametrize("count", [1, 2, 5])
def test_cores_that_wait_for_batches_do_not_wait_for_each_other(count):
    """As a run does it: clips hold cores, chunks are lent, and all of them hand in samples."""
    with Batches(doubled, lambda kind: 8) as batches, Cores(count) as cores, ThreadPoolExecutor(count) as threads:

        def clip(number):
            chunks = [cores.spare(batches.results, number % 2, [number, chunk]) for chunk in range(6)]
            return [chunk.result(20) for chunk in chunks]

        found = [threads.submit(cores.occupy, clip, number) for number in range(12)]
        for number, future in enumerate(found):
            assert future.result(20) == [doubled(number % 2, [number, chunk]) for chunk in range(6)]
