"""The client's restore against the emulator: what it sends, what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from airflow_css.client.credentials import Credentials
from airflow_css.client.css import CssClient
from airflow_css.emulator import CssEmulator
from airflow_css.protocol.errors import (
    CssBusyError,
    CssError,
    CssNotFoundError,
    CssRefusedError,
    CssStateError,
    CssUsageError,
)

SNAPSHOT = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"


@pytest.fixture
def emulator() -> Iterator[CssEmulator]:
    """A CSS on this machine."""
    with CssEmulator() as emulator:
        yield emulator


@pytest.fixture
def client(emulator: CssEmulator) -> CssClient:
    """A client with the right keys."""
    return CssClient(emulator.url, Credentials(emulator.access_key, emulator.secret_key), emulator.project_id)


Restore = Callable[[CssClient, str], None]
BAD: dict[str, Restore] = {
    "cluster": lambda client, target: client.restore_snapshot("search-dev", SNAPSHOT, target_cluster_id=target),
    "snapshot": lambda client, target: client.restore_snapshot(target, "", target_cluster_id=target),
    "target": lambda client, cluster_id: client.restore_snapshot(cluster_id, SNAPSHOT, target_cluster_id="search-dev"),
    "indices": lambda client, target: client.restore_snapshot(target, SNAPSHOT, target_cluster_id=target, indices="A"),
    "no indices": lambda client, target: client.restore_snapshot(
        target, SNAPSHOT, target_cluster_id=target, indices=[]
    ),
    "half a renaming": lambda client, target: client.restore_snapshot(
        target, SNAPSHOT, target_cluster_id=target, rename_pattern="(.+)"
    ),
    "renaming": lambda client, target: client.restore_snapshot(
        target, SNAPSHOT, target_cluster_id=target, rename_pattern="a,b", rename_replacement="c"
    ),
}


@pytest.mark.parametrize("restore", BAD.values(), ids=BAD)
def test_a_bad_value_is_refused_before_anything_is_sent(
    emulator: CssEmulator, client: CssClient, restore: Restore
) -> None:
    """What breaks a rule costs no request."""
    with pytest.raises(CssUsageError):
        restore(client, emulator.cluster_id)
    assert emulator.requests == ()


def test_a_restore_carries_everything_it_is_given(emulator: CssEmulator, client: CssClient) -> None:
    """Target, indices, renaming and overwriting have their effect, and the list says how it ended."""
    target = emulator.add_cluster("target", indices={"orders-2026-11": 3, "old-2026-10": 3})
    there = emulator.add_snapshot("before")
    client.restore_snapshot(
        emulator.cluster_id,
        there,
        target_cluster_id=target,
        indices=["orders-*", "customers"],
        rename_pattern="orders-(.+10)",
        rename_replacement="old-$1",
        replace_existing=True,
    )
    assert client.get_cluster(target).actions == ("RESTORING",)
    emulator.clock.advance(2)
    assert client.get_snapshot(emulator.cluster_id, there).restore_status == "success"
    (restore,) = emulator.restores(target)
    assert set(restore.brought) == {"orders-2026-11", "old-2026-10", "customers"}
    assert set(restore.replaced) == {"orders-2026-11", "old-2026-10"}


def test_an_existing_index_is_not_overwritten_unasked(emulator: CssEmulator, client: CssClient) -> None:
    """In place and without more words, what is there stays as it is."""
    there = emulator.add_snapshot("before", indices="customers")
    client.restore_snapshot(emulator.cluster_id, there, target_cluster_id=emulator.cluster_id)
    emulator.clock.advance(2)
    (restore,) = emulator.restores()
    assert (restore.kept, restore.brought) == (("customers",), {})


Spoil = Callable[[CssEmulator, str], object]
REFUSED: dict[str, tuple[Spoil, type[CssError]]] = {
    "busy": (lambda emulator, _: emulator.change_cluster(actions=("GROWING",)), CssBusyError),
    "deleted": (lambda emulator, _: emulator.faults.answer(400, "CSS.3026"), CssNotFoundError),
    "function off": (lambda emulator, _: emulator.change_cluster(snapshot_function=False), CssStateError),
    "not supported": (lambda emulator, _: emulator.faults.answer(415, "CSS.5108"), CssRefusedError),
    "busy in the dress of a success": (
        lambda emulator, _: emulator.faults.busy(202, call="restore_snapshot"),
        CssBusyError,
    ),
}


@pytest.mark.parametrize(("spoil", "error"), REFUSED.values(), ids=REFUSED)
def test_a_refused_restore_raises_its_error(
    emulator: CssEmulator, client: CssClient, spoil: Spoil, error: type[CssError]
) -> None:
    """Each refusal is its own error, and the restore is sent once."""
    there = emulator.add_snapshot("before")
    spoil(emulator, there)
    with pytest.raises(error):
        client.restore_snapshot(emulator.cluster_id, there, target_cluster_id=emulator.cluster_id)
    assert (emulator.count("restore_snapshot"), emulator.restores()) == (1, ())


LOST: dict[str, Callable[[CssEmulator], None]] = {
    "dropped": lambda emulator: emulator.faults.drop(call="restore_snapshot", when="after"),
    "server error": lambda emulator: emulator.faults.answer(500, "CSS.0005", call="restore_snapshot", when="after"),
    "another success": lambda emulator: emulator.faults.answer(200, call="restore_snapshot", when="after"),
}


@pytest.mark.parametrize("lose", LOST.values(), ids=LOST)
def test_a_restore_of_open_fate_is_not_repeated(
    emulator: CssEmulator, client: CssClient, lose: Callable[[CssEmulator], None]
) -> None:
    """A second one could overwrite what was written since, so it is sent once and the fate is left to a look."""
    there = emulator.add_snapshot("before")
    lose(emulator)
    with pytest.raises(CssError):
        client.restore_snapshot(emulator.cluster_id, there, target_cluster_id=emulator.cluster_id)
    assert (emulator.count("restore_snapshot"), len(emulator.restores())) == (1, 1)
