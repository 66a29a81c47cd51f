"""What a process shares: made once, bounded, and begun anew after a fork."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

from airflow_css.client.shared import Shared, shared_by_process

SHARED: Shared[str, object] = shared_by_process(2)


def test_all_threads_get_the_same() -> None:
    """However many ask at once, a value is made once."""
    shared: Shared[int, object] = Shared(2)
    start = threading.Barrier(8)

    def ask(_number: int) -> object:
        start.wait(10)
        return shared.get(1, object)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    """Beyond the bound the one asked for last stays; looking alone makes nothing."""
    shared: Shared[str, str] = Shared(2)
    for key in ("a", "b", "a", "c"):
        shared.get(key, lambda key=key: key)  # type: ignore[misc]  # mypy cannot tell the default's type
    assert [shared.find(key) for key in "abc"] == ["a", None, "c"]


def test_a_forked_process_begins_with_none_and_without_a_held_lock() -> None:
    """A thread of the parent may hold the lock for ever: the child has its own, so its tasks do not hang."""
    SHARED.get("before", object)
    entered, leave = threading.Event(), threading.Event()

    def slow() -> object:
        entered.set()
        return leave.wait(30)

    holder = threading.Thread(target=SHARED.get, args=("slow", slow))
    holder.start()
    assert entered.wait(10)
    child = os.fork()
    if child == 0:
        # A child that hangs is ended, and is then no success.
        signal.alarm(10)
        # Ends here whatever happens: the child must not run the rest of the tests.
        os._exit(0 if SHARED.get("before", lambda: "new") == "new" else 1)
    leave.set()
    holder.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
