"""What a probe makes, and when it may not run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_css.doctor.probe_rules import ProbeOrder, check_probe_indices, why_not_now
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.models import Cluster, Snapshot, SnapshotPolicy
from airflow_css.protocol.names import check_cluster_id, check_description, check_name
from airflow_css.protocol.provenance import read_mark

CLUSTER = check_cluster_id("4f3deec3-efa8-4598-bf91-560aad1377a3")
ORDER = ProbeOrder(CLUSTER, "orders-*", "0123456789ab")
IDLE = Cluster(CLUSTER, "search-dev", "200")
OFF = SnapshotPolicy()
DAILY = SnapshotPolicy(enabled=True, period="16:00 GMT+00:00")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_names_and_description_keep_the_rules() -> None:
    """CSS takes them, and no version of this package takes the mark for its own."""
    assert check_name(ORDER.name).startswith("airflow-css-probe-")
    assert check_name(ORDER.other_name)
    assert check_description(ORDER.description)
    assert read_mark(ORDER.description) is None


def test_only_its_own_names_are_taken_for_its_own() -> None:
    """A name that differs in one character, or an earlier probe's, is somebody else's."""
    names = (ORDER.name, ORDER.other_name, ORDER.name[:-1], ORDER.name + "0", "airflow-css-probe-")
    listed = [Snapshot(str(number), name) for number, name in enumerate(names)]
    assert [snapshot.id for snapshot in ORDER.made(listed)] == ["0", "1"]


@pytest.mark.parametrize("indices", ["*", "customers,*", "_all", "", "Orders"])
def test_a_probe_of_everything_is_refused(indices: str) -> None:
    """What takes all indices, or breaks a rule, is refused with a legal value."""
    with pytest.raises(CssUsageError):
        check_probe_indices(indices)


def test_a_pattern_that_may_match_little_is_granted() -> None:
    """CSS has no call that lists indices, so nobody here can count what a pattern matches."""
    assert check_probe_indices("customers-2026-*, tiny") == "customers-2026-*,tiny"


@pytest.mark.parametrize(
    ("cluster", "policy", "longest", "hour", "words"),
    [
        (IDLE, OFF, None, 12, ""),
        (Cluster(CLUSTER, "search-dev", "200", ("GROWING",)), OFF, None, 12, "GROWING"),
        (Cluster(CLUSTER, "search-dev", "100"), OFF, None, 12, "not idle"),
        (IDLE, DAILY, None, 12, ""),
        (IDLE, DAILY, 3 * 3600.0, 14, "due at 16:00 UTC"),
        (IDLE, DAILY, 5.0, 14, ""),
        (IDLE, SnapshotPolicy(enabled=True, period="whenever"), None, 12, "not understood"),
    ],
)
def test_a_probe_waits_for_nobody(
    cluster: Cluster, policy: SnapshotPolicy, longest: float | None, hour: int, words: str
) -> None:
    """A busy cluster, or an automatic snapshot that is due before the probe is over, is a reason not to begin."""
    reason = why_not_now(cluster, policy, longest, NOON.replace(hour=hour))
    assert words in reason
    assert bool(words) == bool(reason)


def test_half_an_hour_is_kept_where_nothing_is_known() -> None:
    """Without an earlier snapshot the probe stays half an hour away from an automatic one."""
    assert why_not_now(IDLE, DAILY, None, NOON.replace(hour=15, minute=29)) == ""
    assert why_not_now(IDLE, DAILY, None, NOON.replace(hour=15, minute=30)) != ""
