"""The documents of an emulator in another process: as they are in its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.documents import EmulatedIndex, IndexClosedError
from airflow_css.emulator.remote import RemoteIndex
from tests.emulator.callers import Caller


@pytest.fixture
def emulator() -> Iterator[CssEmulator]:
    """Return an emulator that serves, with a clock that stands still."""
    with CssEmulator(clock=TurnableClock(frozen=True), indices={"orders": 3}) as emulator:
        yield emulator


def _remote(emulator: CssEmulator, name: str) -> RemoteIndex:
    return RemoteIndex(emulator.url, emulator.cluster_id, name)


def test_both_have_the_same_methods() -> None:
    """What is asked of one can be asked of the other, with the same words."""
    for name in {name for name in vars(EmulatedIndex) if not name.startswith("_")} - {"state", "cluster_id", "name"}:
        one, other = getattr(EmulatedIndex, name), getattr(RemoteIndex, name)
        assert getattr(one, "__annotations__", {}) == getattr(other, "__annotations__", {}), name


def test_each_method_has_the_same_effect(emulator: CssEmulator) -> None:
    """Whatever is done from afar is seen here."""
    here, remote = emulator.index("orders"), _remote(emulator, "orders")
    remote.write({"1": {"cents": 5}, "a/b": {}})
    assert here.documents() == remote.documents() == {"1": {"cents": 5}, "a/b": {}}
    remote.delete("1", "a/b")
    assert (remote.shards, here.documents()) == (3, {})
    here.write({"1": {}})
    remote.clear()
    assert here.documents() == {}
    remote.drop()
    assert (remote.exists, here.exists) == (False, False)
    remote.create(2)
    assert (remote.exists, here.shards) == (True, 2)


@pytest.mark.parametrize(
    "use", [RemoteIndex.documents, lambda index: index.shards, lambda index: index.delete("1"), RemoteIndex.drop]
)
def test_what_does_not_exist_is_told(emulator: CssEmulator, use: Callable[[RemoteIndex], Any]) -> None:
    """It is the same error as in the emulator's own process."""
    with pytest.raises(LookupError, match="no index nothing"):
        use(_remote(emulator, "nothing"))


def test_what_is_wrong_is_told(emulator: CssEmulator) -> None:
    """It is the same error as in the emulator's own process."""
    with pytest.raises(ValueError, match="has 3 shards"):
        _remote(emulator, "orders").create(1)


def test_an_index_that_is_being_restored_is_closed(emulator: CssEmulator) -> None:
    """It is the same error as in the emulator's own process."""
    orders = _remote(emulator, "orders")
    Caller(emulator).restore(emulator.add_snapshot("old-one"), replace_exist_indices=True)
    assert orders.is_closed
    with pytest.raises(IndexClosedError, match="being restored"):
        orders.write({"1": {}})


@pytest.mark.parametrize("url", ["https://css.cn-north-4.myhuaweicloud.com", "file:///etc/passwd"])
def test_only_an_emulator_is_asked(url: str) -> None:
    """A real cluster's documents are no business of these calls, and nothing is sent."""
    with pytest.raises(ValueError, match="is no emulator"):
        RemoteIndex(url, "id", "orders").documents()


def test_an_odd_answer_is_told(emulator: CssEmulator) -> None:
    """What no emulator answers is shown as it came."""
    with pytest.raises(RuntimeError, match="answered 401"):
        RemoteIndex(f"{emulator.url}/v1.0", emulator.cluster_id, "orders").documents()


def test_no_proxy_is_asked(emulator: CssEmulator) -> None:
    """Whatever proxy the shell names, this machine is reached directly."""
    os.environ.update({"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"})
    assert _remote(emulator, "orders").documents() == {}
