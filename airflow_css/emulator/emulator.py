"""The emulator as one object: start it, point a client at it, seed it, script it, ask what happened."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self, Unpack

from airflow_css.emulator.app import App, SeenRequest
from airflow_css.emulator.bounds import check_seconds
from airflow_css.emulator.clock import TurnableClock, real_now
from airflow_css.emulator.clusters import DEFAULT_INDICES, PolicyEntry
from airflow_css.emulator.documents import EmulatedIndex
from airflow_css.emulator.entries import Fate, SnapshotEntry
from airflow_css.emulator.exchange import Reply, Request
from airflow_css.emulator.faults import FaultScript
from airflow_css.emulator.gate import Gate
from airflow_css.emulator.iam import Project
from airflow_css.emulator.identity import IdentityEmulator
from airflow_css.emulator.index_lists import check_index_set, select_indices
from airflow_css.emulator.keys import Key, KeyRing
from airflow_css.emulator.restores import RestoreEntry
from airflow_css.emulator.rules import OpenRules, ServiceRules
from airflow_css.emulator.server import EmulatorServer
from airflow_css.emulator.state import ServiceState
from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.names import check_cluster_id, check_project_id
from airflow_css.protocol.parsing import parse_snapshot

__all__ = ["CssEmulator", "cluster_id_of", "host_in_url"]

DEFAULT_CLUSTER = "search-dev"
DEFAULT_CLUSTER_ID = "4f3deec3-efa8-4598-bf91-560aad1377a3"
DEFAULT_PROJECT_ID = "6204a5bd270343b5885144cf9c8c158d"
DEFAULT_SECRET_KEY = "emulator-sk"  # noqa: S105 - it opens nothing but the emulator
REGION = "eu-west-101"

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared only


def cluster_id_of(name: str) -> str:
    """
    Return the id of a cluster that was named without one: the same for the same name.

    :param name: The cluster's name.
    """
    return DEFAULT_CLUSTER_ID if name == DEFAULT_CLUSTER else str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def host_in_url(host: str) -> str:
    """
    Return how a URL on this machine names the address that a server listens on.

    :param host: The address; one that stands for every address is reached as loopback.
    """
    host = _WILDCARDS.get(host, host)
    return f"[{host}]" if ":" in host else host


class CssEmulator:
    """
    A CSS on this machine. Use it in a ``with`` statement, or call ``start`` and ``stop``.

    ``keys`` are those that may sign, and ``identity`` are the services that hand more of them out.

    :param access_key: The only access key it knows at first.
    :param secret_key: The secret key that goes with it.
    :param security_token: Makes the key a temporary one that needs this token; default none.
    :param project_id: The only project there is: 32 lower-case letters and digits.
    :param clusters: ``NAME`` or ``NAME=UUID``, one for each cluster; default ``search-dev``.
    :param indices: The indices of each cluster: names, or the number of shards by name; default four.
    :param creation_takes: How long making a snapshot takes, in seconds of its clock, 0 or more; default 2.
    :param restore_takes: How long restoring one takes, likewise.
    :param clock: Its time; default the real time, to be turned ahead with ``clock.advance``.
    :param port: The port to listen on; 0, the default, takes a free one.
    :param host: The address to listen on; default loopback.
    :param client_time: What the clients' clocks show, which the date of a signature is compared with; default the real
        time. Give ``clock.now`` when the clients live by the emulator's clock.
    :param lock_after: How many refused signatures in a row are allowed, default 5; one more locks the key for five
        minutes. ``None`` for no lock.
    :param identity: Serve the services that hand keys out as well; default no.
    :param rules: What the documentation leaves open: see ``OpenRules``.
    :raises CssUsageError: if the project id or a cluster id does not look like one.
    :raises ValueError: if ``creation_takes`` or ``restore_takes`` is no duration.
    """

    def __init__(
        self,
        *,
        access_key: str = "emulator-ak",
        secret_key: str = DEFAULT_SECRET_KEY,
        security_token: str | None = None,
        project_id: str = DEFAULT_PROJECT_ID,
        clusters: Sequence[str] = (DEFAULT_CLUSTER,),
        indices: Sequence[str] | Mapping[str, int] = DEFAULT_INDICES,
        creation_takes: float = 2.0,
        restore_takes: float = 2.0,
        clock: TurnableClock | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        client_time: Callable[[], datetime] = real_now,
        lock_after: int | None = 5,
        identity: bool = False,
        **rules: Unpack[OpenRules],
    ) -> None:
        self.access_key = access_key
        self.secret_key = secret_key
        self.security_token = security_token
        self.project_id = check_project_id(project_id)
        self.clock = clock or TurnableClock()
        self._address = (host, port)
        self._server: EmulatorServer | None = None
        takes = check_seconds("creation_takes", creation_takes)
        restore = check_seconds("restore_takes", restore_takes)
        self._indices = check_index_set(indices)
        self._state = ServiceState(self.clock, ServiceRules(takes, restore, **rules))
        self.keys = KeyRing([Key(access_key, secret_key, security_token)])
        gate = Gate(self.keys, self.clock, lock_after, client_time)
        self.identity = IdentityEmulator(gate, [Project(self.project_id, REGION)])
        self._serves_identity = identity
        self._app = App(self.project_id, self.clock, gate, self._state)
        self._cluster_ids = [self.add_cluster(*_name_and_id(text)) for text in clusters]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """
        Serve over HTTP; once this returns, the port answers.

        :raises OSError: if the port is taken.
        """
        self.faults.open()
        self._server = EmulatorServer(self._address, self.handle)
        self._server.start()
        if self._serves_identity:
            self.identity.start()

    def stop(self) -> None:
        """End all connections and stop serving; what is held or slow gets lost."""
        if self._server is not None:
            self.faults.close()
            self._server.stop()
            self._server = None
            if self._serves_identity:
                self.identity.stop()

    @property
    def url(self) -> str:
        """Where it serves; a client on this machine can use it as the endpoint."""
        if self._server is None:
            raise RuntimeError("the emulator serves only between start() and stop()")
        return f"http://{host_in_url(self._address[0])}:{self._server.port}"

    @property
    def cluster_id(self) -> str:
        """The id of the first cluster."""
        return self._cluster_ids[0]

    @property
    def faults(self) -> FaultScript:
        """What is to go wrong."""
        return self._app.faults

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """Every call that came in so far, in its order, without headers and body."""
        return self._app.log.all()

    def count(self, call: str) -> int:
        """
        Return how often a call came in, however it was answered.

        :param call: For example ``create_snapshot``.
        """
        return sum(seen.call == call for seen in self.requests)

    def handle(self, request: Request) -> Reply:
        """
        Return the answer to a request, without any socket.

        :param request: The request, signed as for the wire.
        """
        return self._app.handle(request)

    def snapshots(self, cluster_id: str | None = None) -> tuple[Snapshot, ...]:
        """
        Return the snapshots of a cluster as they are listed now, newest first.

        :param cluster_id: The cluster; default the first one.
        """
        return tuple(parse_snapshot(entry) for entry in self._state.list_snapshots(cluster_id or self.cluster_id))

    def change_keys(self, access_key: str, secret_key: str, security_token: str | None = None) -> None:
        """
        Refuse the keys so far, and know only these from now on: what a rotation of keys ends with.

        :param access_key: The access key.
        :param secret_key: The secret key that goes with it.
        :param security_token: Makes the key a temporary one that needs this token; default none.
        """
        self.access_key, self.secret_key, self.security_token = access_key, secret_key, security_token
        self.keys.replace_all(Key(access_key, secret_key, security_token))

    def cancelled(self, cluster_id: str | None = None) -> int:
        """
        Return how many automatic snapshots fell due while something else ran.

        :param cluster_id: The cluster; default the first one.
        """
        return self._state.find(cluster_id or self.cluster_id).cancelled

    def indices(self, cluster_id: str | None = None) -> dict[str, int]:
        """
        Return the indices of a cluster as they are now: the number of shards by name.

        :param cluster_id: The cluster; default the first one.
        """
        return dict(self._state.find(cluster_id or self.cluster_id).indices)

    def index(self, name: str, cluster_id: str | None = None) -> EmulatedIndex:
        """
        Return an index, to look at its documents and to change them; it need not exist yet.

        :param name: Its name.
        :param cluster_id: The cluster; default the first one.
        """
        return EmulatedIndex(self._state, cluster_id or self.cluster_id, name)

    def restores(self, cluster_id: str | None = None) -> tuple[RestoreEntry, ...]:
        """
        Return what was restored to a cluster, oldest first.

        :param cluster_id: The cluster; default the first one.
        """
        return tuple(self._state.find(cluster_id or self.cluster_id).restores)

    def add_cluster(self, name: str, cluster_id: str | None = None, **fields: Any) -> str:
        """
        Add a cluster and return its id.

        :param name: Its name.
        :param cluster_id: Its id; default one that follows from the name.
        :param fields: Further fields of a cluster, as for ``change_cluster``.
        """
        cluster_id = check_cluster_id(cluster_id or cluster_id_of(name))
        self._state.add_cluster(cluster_id, name, **{"indices": dict(self._indices), **fields})
        return cluster_id

    def change_cluster(self, cluster_id: str | None = None, **fields: Any) -> None:
        """
        Change a cluster.

        :param cluster_id: The cluster; default the first one.
        :param fields: ``status``, ``actions``, ``frozen``, ``snapshot_function``, ``quota``, ``indices``, ``engine``,
            ``engine_version``.
        """
        self._state.change_cluster(cluster_id or self.cluster_id, **fields)

    def add_snapshot(
        self,
        name: str,
        *,
        cluster_id: str | None = None,
        snapshot_id: str | None = None,
        status: str = "COMPLETED",
        description: str = "",
        indices: str = "*",
        failed_shards: int = 0,
        started_at: datetime | None = None,
        takes: float | None = None,
        frequency: str | None = None,
        restore_status: str = "none",
    ) -> str:
        """
        Put a snapshot into the list, whatever the rules of CSS say, and return its id. It holds today's documents.

        :param name: Its name.
        :param cluster_id: The cluster; default the first one.
        :param snapshot_id: Its id; default a new one.
        :param status: Any word. ``BUILDING`` ends as ``COMPLETED`` when its time is over.
        :param description: Its description, a mark included.
        :param indices: Which of the cluster's indices are in it: names and patterns, separated by commas.
        :param failed_shards: How many shards failed.
        :param started_at: When it began, an aware moment; default now for ``BUILDING``, otherwise so that it ends now.
        :param takes: How long it takes or took, in seconds; default ``creation_takes``.
        :param frequency: The policy's frequency, for example ``DAY``, if it is automatic; default made by a user.
        :param restore_status: ``none``, ``restoring``, ``success`` or ``failed``.
        """
        cluster_id = cluster_id or self.cluster_id
        usual = self._state.rules.creation_takes
        duration = timedelta(seconds=usual if takes is None else check_seconds("takes", takes))
        building = status == "BUILDING"
        began = started_at or (self.clock.now() if building else self.clock.now() - duration)
        entry = SnapshotEntry(
            id=snapshot_id or str(uuid.uuid4()),
            name=name,
            started_at=began,
            ends_at=began + duration,
            status=status,
            description=description,
            indices=select_indices(indices, self._state.find(cluster_id).indices),
            documents=self._state.find(cluster_id).documents,
            fate=Fate(),
            failed_shards=failed_shards,
            ended_at=None if building else began + duration,
            frequency=frequency,
            restore_status=restore_status,
            bucket=self._state.find(cluster_id).policy.bucket,
        )
        self._state.add_snapshot(cluster_id, entry)
        return entry.id

    def policy(
        self,
        *,
        cluster_id: str | None = None,
        enabled: bool = True,
        period: str = "00:00 GMT+08:00",
        frequency: str = "DAY",
        keep: int = 7,
        prefix: str = "snapshot",
        indices: str = "*",
    ) -> None:
        """
        Set the policy for automatic snapshots.

        :param cluster_id: The cluster; default the first one.
        :param enabled: Whether it is on.
        :param period: When they are due, for example ``16:00 GMT+08:00``.
        :param frequency: ``HOUR``, ``DAY`` or a day of the week such as ``SUN``.
        :param keep: How many are kept.
        :param prefix: What their names begin with.
        :param indices: Which indices go into them.
        :raises ValueError: if period or frequency cannot be understood: nothing would ever fall due.
        """
        policy = PolicyEntry(enabled, period, frequency, keep, prefix, indices)
        if enabled and policy.rules().next_due(self.clock.now()) is None:
            raise ValueError(
                f"nothing is due at {period!r} each {frequency!r}; for example '16:00 GMT+08:00' each 'DAY'"
            )
        self._state.set_policy(cluster_id or self.cluster_id, policy)

    def connection_json(self, **extra: Any) -> str:
        """
        Return an Airflow connection to the emulator, as JSON. It holds the secret key.

        :param extra: More keys for the connection's extra, for example ``deployment``; ``None`` takes one away.
        """
        usual = {"region": REGION, "project_id": self.project_id, "security_token": self.security_token}
        if self._cluster_ids:
            usual["cluster_id"] = self.cluster_id
        connection: Mapping[str, Any] = {
            "conn_type": "huaweicloud_css",
            "login": self.access_key,
            "password": self.secret_key,
            "host": self.url,
            "extra": {key: value for key, value in {**usual, **extra}.items() if value is not None},
        }
        return json.dumps(connection)

    def connection_env(self, conn_id: str = "css_default", **extra: Any) -> dict[str, str]:
        """
        Return the environment variable that tells Airflow about the connection.

        :param conn_id: The connection id.
        :param extra: As for ``connection_json``.
        """
        return {f"AIRFLOW_CONN_{conn_id.upper()}": self.connection_json(**extra)}


def _name_and_id(text: str) -> tuple[str, str | None]:
    name, _, cluster_id = text.partition("=")
    return name, cluster_id or None
