"""The emulator as one object: its connection, what can be planted in it, what it tells."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.emulator import cluster_id_of, host_in_url
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.models import SnapshotStatus
from airflow_css.protocol.names import check_cluster_id
from tests.emulator.callers import UNKNOWN_ID, Caller, refusal, signed_request

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _standing(**options: str) -> CssEmulator:
    return CssEmulator(clock=TurnableClock(frozen=True, start=NOON), creation_takes=60, **options)  # type: ignore[arg-type]  # only texts are given here


def test_the_connection_holds_all_that_a_client_needs() -> None:
    """Type, keys, address, region, project and cluster are in it; a token only when there is one."""
    with CssEmulator(access_key="AK", secret_key="SK", project_id="p" * 32) as emulator:
        assert json.loads(emulator.connection_json()) == {
            "conn_type": "huaweicloud_css",
            "login": "AK",
            "password": "SK",
            "host": emulator.url,
            "extra": {"region": "eu-west-101", "project_id": "p" * 32, "cluster_id": emulator.cluster_id},
        }


def test_the_connection_can_be_given_more_and_less() -> None:
    """Further keys of the extra are added, ``None`` takes one away, and the variable bears the connection's name."""
    with CssEmulator(security_token="TOKEN") as emulator:
        ((name, value),) = emulator.connection_env("css_two", deployment="prod", cluster_id=None).items()
    assert name == "AIRFLOW_CONN_CSS_TWO"
    assert json.loads(value)["extra"] == {
        "region": "eu-west-101",
        "project_id": emulator.project_id,
        "security_token": "TOKEN",
        "deployment": "prod",
    }


def test_the_address_is_known_only_while_it_serves() -> None:
    """Before the start and after the end there is no address to be given away by mistake."""
    emulator = CssEmulator()
    with pytest.raises(RuntimeError, match="between start"):
        _ = emulator.url
    with emulator:
        assert emulator.url.startswith("http://127.0.0.1:")
    with pytest.raises(RuntimeError, match="between start"):
        _ = emulator.url


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("::1", "[::1]"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 - nothing listens there
        ("::", "[::1]"),
    ],
)
def test_the_address_is_one_that_this_machine_can_reach(host: str, named: str) -> None:
    """Every address stands for loopback, and an address with colons is put into brackets."""
    assert host_in_url(host) == named


def test_clusters_can_be_named_with_and_without_an_id() -> None:
    """A cluster without an id gets one that follows from its name; the first one is the default."""
    emulator = _standing(clusters=("one", f"two={UNKNOWN_ID}"))  # type: ignore[arg-type]  # a tuple of texts
    assert emulator.cluster_id == cluster_id_of("one") == check_cluster_id(cluster_id_of("one"))
    assert emulator.snapshots(UNKNOWN_ID) == ()
    assert cluster_id_of("one") != cluster_id_of("two")


def test_a_wrong_project_or_cluster_id_is_refused() -> None:
    """What no call could name is refused at once."""
    with pytest.raises(CssUsageError, match="project id"):
        CssEmulator(project_id="short")
    with pytest.raises(CssUsageError, match="cluster id"):
        CssEmulator(clusters=("one=two",))


def test_a_planted_snapshot_is_listed_as_told() -> None:
    """Every fact given shows in the list; the end follows from start and duration."""
    emulator = _standing()
    planted = emulator.add_snapshot(
        "old-one",
        snapshot_id=UNKNOWN_ID,
        status="PART_FAILED",
        description="text [af1 x]",
        indices="orders-*",
        failed_shards=2,
        started_at=NOON - timedelta(days=1),
        takes=325.1,
        restore_status="success",
    )
    (snapshot,) = emulator.snapshots()
    assert planted == snapshot.id == UNKNOWN_ID
    assert (snapshot.name, snapshot.status, snapshot.description) == (
        "old-one",
        SnapshotStatus.PART_FAILED,
        "text [af1 x]",
    )
    assert (snapshot.total_shards, snapshot.failed_shards, snapshot.restore_status) == (6, 2, "success")
    assert snapshot.started_at == NOON - timedelta(days=1)
    assert snapshot.duration_seconds == 325.1
    assert not snapshot.is_automatic


def test_a_planted_snapshot_has_just_ended_unless_told_otherwise() -> None:
    """It took as long as any, ended now, and holds all indices; automatic ones are recognised."""
    emulator = _standing()
    emulator.add_snapshot("old-one", frequency="DAY")
    (snapshot,) = emulator.snapshots()
    assert (snapshot.started_at, snapshot.ended_at) == (NOON - timedelta(seconds=60), NOON)
    assert (snapshot.is_good, snapshot.total_shards, snapshot.is_automatic) == (True, 8, True)


def test_a_planted_snapshot_that_is_being_made_ends_in_its_time() -> None:
    """It makes the cluster busy until then."""
    caller = Caller(_standing())
    caller.emulator.add_snapshot("others", status="BUILDING", takes=100)
    assert refusal(caller.create("first")) == (409, "CSS.0011")
    caller.advance(99)
    assert refusal(caller.create("first")) == (409, "CSS.0011")
    caller.advance(1)
    assert caller.create("first").status == 201


def test_an_unknown_word_is_listed_as_it_is() -> None:
    """A state that nobody has heard of neither ends nor makes the cluster busy."""
    caller = Caller(_standing())
    caller.emulator.add_snapshot("odd-one", status="ARCHIVING")
    caller.advance(1000)
    assert caller.listed()[0]["status"] == "ARCHIVING"
    assert caller.create("first").status == 201


def test_a_cluster_without_such_a_field_is_refused() -> None:
    """A misspelt field is an error, not a silent nothing."""
    with pytest.raises(TypeError, match="frozzen"):
        _standing().change_cluster(frozzen=True)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_what_is_no_duration_is_refused(seconds: float) -> None:
    """Neither snapshots in general nor a planted one may take such a time."""
    with pytest.raises(ValueError, match="creation_takes is a number of seconds"):
        CssEmulator(creation_takes=seconds)
    with pytest.raises(ValueError, match="takes is a number of seconds"):
        CssEmulator().add_snapshot("old-one", takes=seconds)


@pytest.mark.parametrize(("period", "frequency"), [("noon", "DAY"), ("16:00 GMT+08:00", "WEEK")])
def test_a_policy_that_would_never_be_due_is_refused(period: str, frequency: str) -> None:
    """What cannot be understood is an error, unless the policy is off."""
    emulator = _standing()
    with pytest.raises(ValueError, match="nothing is due"):
        emulator.policy(period=period, frequency=frequency)
    emulator.policy(enabled=False, period=period, frequency=frequency)


def test_it_can_be_stopped_and_started_again() -> None:
    """What it knew is still there, and delays last again."""
    emulator = CssEmulator()
    emulator.add_snapshot("old-one")
    for _ in range(2):
        with emulator:
            assert len(emulator.snapshots()) == 1
    with emulator:
        started = time.monotonic()
        emulator.faults.wait(0.05)
        assert time.monotonic() - started >= 0.05


def test_printing_it_shows_no_secret() -> None:
    """Its ``repr`` has neither key nor token."""
    assert "planted" not in repr(CssEmulator(secret_key="planted-secret", security_token="planted-token"))


def test_after_a_change_of_keys_only_the_new_ones_sign() -> None:
    """The keys so far are refused, and the connection holds the new ones, which pass."""
    caller = Caller(CssEmulator(clock=TurnableClock(frozen=True)))
    path = f"/v1.0/{caller.emulator.project_id}/clusters/{caller.emulator.cluster_id}/index_snapshots"
    before = signed_request(caller.emulator, "GET", path)
    assert caller.emulator.handle(before).status == 200

    caller.emulator.change_keys("new-ak", "new-sk", "new-token")

    assert refusal(caller.emulator.handle(before))[:2] == (401, "APIGW.0301")
    assert caller.emulator.handle(signed_request(caller.emulator, "GET", path)).status == 200
    with caller.emulator as serving:
        connection = json.loads(serving.connection_json())
    assert (connection["login"], connection["password"]) == ("new-ak", "new-sk")
    assert connection["extra"]["security_token"] == "new-token"


def test_every_cluster_begins_with_the_given_indices() -> None:
    """Names alone have one shard each; each cluster has a set of its own."""
    emulator = CssEmulator(clusters=("one", "two"), indices={"orders": 3, "customers": 1})
    one, two = emulator.cluster_id, cluster_id_of("two")
    emulator.change_cluster(one, indices={"x": 1})
    assert (emulator.indices(), emulator.indices(two)) == ({"x": 1}, {"orders": 3, "customers": 1})
    assert emulator.indices(emulator.add_cluster("three")) == emulator.indices(two)
    assert emulator.indices(emulator.add_cluster("four", indices={"y": 1})) == {"y": 1}
    assert CssEmulator(indices=["a", "b"]).indices() == {"a": 1, "b": 1}


def test_a_cluster_has_no_other_fields() -> None:
    """A field that is none, or is nobody's to change, is refused with those that are."""
    for name in ("colour", "id", "settled_until"):
        with pytest.raises(TypeError, match=f"a cluster has no {name} to change; it has actions,"):
            CssEmulator().change_cluster(None, **{name: 1})


def test_impossible_durations_and_indices_are_refused() -> None:
    """What cannot be is said at once."""
    with pytest.raises(ValueError, match="restore_takes is a number of seconds"):
        CssEmulator(restore_takes=-1)
    with pytest.raises(ValueError, match="indices is a list of names"):
        CssEmulator(indices="orders")
    with pytest.raises(TypeError, match="colour"):
        CssEmulator(colour="blue")  # type: ignore[call-arg]
