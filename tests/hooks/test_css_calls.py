"""The hook's calls, with a connection that leads to the emulator."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssNotFoundError
from tests.world import World, new_world

NAME = "orders-20261123"
MISSING = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"


class TurnedHook(CssHook):
    """The hook on the world's clock, by which the emulator judges the date of a signature."""


@pytest.fixture
def hook(world: World) -> CssHook:
    """A hook of the default connection."""
    TurnedHook.clock = world.clock
    return TurnedHook()


def test_a_snapshot_is_made_found_and_deleted(world: World, hook: CssHook) -> None:
    """The calls about snapshots go through the hook as through the client."""
    cluster_id = world.emulator.cluster_id
    made = hook.create_snapshot(cluster_id, NAME, indices="orders-*", description="by a script")
    assert hook.ensure_snapshot(cluster_id, NAME).id == made.id
    world.clock.sleep(300)
    (listed,) = hook.list_snapshots(cluster_id)
    assert listed == hook.get_snapshot(cluster_id, made.id) == hook.find_snapshot(cluster_id, name=NAME)
    assert listed.description == "by a script"
    assert hook.find_snapshot(cluster_id, snapshot_id=MISSING) is None
    hook.delete_snapshot(cluster_id, made.id)
    assert hook.list_snapshots(cluster_id) == ()
    with pytest.raises(CssNotFoundError):
        hook.get_snapshot(cluster_id, made.id)


def test_what_ensure_allows_is_passed_on(world: World, hook: CssHook) -> None:
    """Partial and empty snapshots are accepted when the hook is told so."""
    partial = world.emulator.add_snapshot(NAME, status="PART_FAILED", failed_shards=1)
    assert hook.ensure_snapshot(world.emulator.cluster_id, NAME, allow_partial=True).id == partial
    empty = world.emulator.add_snapshot("empty", indices="no-such-index")
    assert hook.ensure_snapshot(world.emulator.cluster_id, "empty", fail_if_empty=False).id == empty


def test_a_snapshot_is_restored(world: World, hook: CssHook) -> None:
    """What the hook is told arrives at the restore."""
    cluster_id = world.emulator.cluster_id
    there = world.emulator.add_snapshot(NAME)
    hook.restore_snapshot(
        cluster_id,
        there,
        target_cluster_id=cluster_id,
        indices="customers",
        rename_pattern="^",
        rename_replacement="old-",
        replace_existing=True,
    )
    (restore,) = world.emulator.restores()
    order = restore.order
    assert (order.target_cluster, order.indices, order.replace_existing) == (cluster_id, "customers", True)
    assert order.new_name("customers") == "old-customers"


def test_clusters_and_policy_are_read(world: World, hook: CssHook) -> None:
    """The calls about clusters go through the hook as through the client."""
    cluster_id = world.emulator.cluster_id
    (listed,) = hook.list_clusters()
    found = hook.find_cluster("search-dev")
    assert found is not None
    assert listed.id == found.id == hook.get_cluster(cluster_id).id == cluster_id
    assert hook.find_cluster("search") is None
    assert hook.get_snapshot_policy(cluster_id).enabled is False


def test_the_button_says_where_and_how_it_signed_in(world: World, hook: CssHook) -> None:
    """A working connection is told with endpoint, region, project, source of the keys and what is visible."""
    world.emulator.add_cluster("search-prod")
    is_good, text = hook.test_connection()
    assert is_good
    assert text == (
        f"Signed in with the keys of the connection at {world.emulator.url}, region eu-west-101, "
        f"project {world.emulator.project_id}: 2 clusters visible."
    )


def test_the_button_says_one_cluster_in_the_singular(hook: CssHook) -> None:
    """One cluster is one cluster."""
    assert hook.test_connection()[1].endswith(": 1 cluster visible.")


def test_the_button_repeats_the_warnings(world: World, hook: CssHook) -> None:
    """An unknown key of the connection is told along with the success."""
    world.connect(colour="blue")
    is_good, text = hook.test_connection()
    assert is_good
    assert "'colour'" in text


REFUSALS: dict[str, tuple[Callable[[World], None], str]] = {
    "wrong key": (lambda world: world.emulator.faults.answer(401, "APIGW.0301"), "Check login and password"),
    "no permission": (lambda world: world.emulator.faults.answer(403, "CSS.0010"), "Give the keys the permission"),
    "wrong endpoint": (lambda world: world.emulator.faults.answer(404, "APIGW.0101"), "Check host and region"),
    "nobody there": (lambda world: world.emulator.stop(), "no connection to http://127.0.0.1:"),
}


@pytest.mark.parametrize(("spoil", "words"), REFUSALS.values(), ids=REFUSALS)
def test_the_button_says_what_is_wrong(world: World, hook: CssHook, spoil: Callable[[World], None], words: str) -> None:
    """What does not work is told with its remedy, not raised."""
    assert hook.settings.endpoint
    spoil(world)
    is_good, text = hook.test_connection()
    assert not is_good
    assert words in text


def test_the_clock_of_this_machine_may_be_wrong(hook: CssHook, caplog: pytest.LogCaptureFixture) -> None:
    """A date that is too far off is refused by the gateway; the client signs by its time then, and says so."""
    with new_world() as elsewhere:
        # This clock is turned ahead, the one that the gateway compares with is not.
        hook.clock.sleep(3600)
        TurnedHook.clock = hook.clock
        assert TurnedHook().list_snapshots(elsewhere.emulator.cluster_id) == ()
    assert "60 min ahead of the service's" in caplog.text
