"""What a deletion and a pruning do alike: pauses that grow, keys that are read anew, and a look that may fail."""

from __future__ import annotations

import logging

import pytest

from airflow_css.operators.removing import are_listed, busy_pause, delete_from
from tests.world import World

LOG = logging.getLogger(__name__)


@pytest.mark.parametrize(("refusals", "seconds"), [(0, 0), (1, 5), (2, 10), (6, 160), (7, 300), (60, 300)])
def test_the_pause_doubles_up_to_five_minutes(refusals: int, seconds: float) -> None:
    """Without a refusal there is none."""
    assert busy_pause(refusals) == seconds


def test_what_is_deleted_is_not_listed(world: World) -> None:
    """The snapshot goes, the others stay, and the look tells which of both is asked for."""
    gone, kept = world.emulator.add_snapshot("orders"), world.emulator.add_snapshot("customers")
    hook, cluster_id = world.hook_class(), world.emulator.cluster_id
    delete_from(hook, cluster_id, gone)
    assert not are_listed(hook, cluster_id, [gone], LOG)
    assert are_listed(hook, cluster_id, [gone, kept], LOG)


def test_without_an_answer_it_may_be_listed(world: World) -> None:
    """A failed look proves no deletion."""
    world.emulator.faults.answer(500, "CSS.0005", call="list_snapshots", times=None)
    assert are_listed(world.hook_class(), world.emulator.cluster_id, [], LOG)
