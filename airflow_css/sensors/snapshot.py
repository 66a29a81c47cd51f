"""The sensors for snapshots and their cluster."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_css.hooks.css import CssHook
from airflow_css.links.css import SnapshotLink
from airflow_css.sensors.base import CssSensor

if TYPE_CHECKING:
    from airflow_css.protocol.conditions import Condition
    from airflow_css.sensors.sensing import Wish

__all__ = ["ClusterIdleSensor", "SnapshotFreshnessSensor", "SnapshotSensor"]


class SnapshotSensor(CssSensor):
    """
    Waits until a snapshot is good, restored or gone, and gives its facts.

    It fails at once when waiting is pointless: the snapshot or its restore failed. A name that is not listed is waited
    for. An id that stays absent for 40 seconds is a mistake; in the mode ``reschedule`` each look is made by another
    process, which knows nothing of the ones before, so there it is waited for until the time-out.

    .. seealso:: :doc:`/how-to/wait-for-snapshots`

    :param cluster_id: The cluster's id. (templated)
    :param cluster_name: The cluster's exact name, instead of the id. (templated) Without either, the connection's
        default cluster is used.
    :param snapshot_id: The snapshot's id. (templated)
    :param snapshot_name: Its name, instead of the id; folded as a new snapshot's name is. (templated)
    :param expect: ``good`` (default), ``restored`` or ``gone``. An old restore that ended well counts as restored.
    :param allow_partial: Whether a snapshot in which shards failed is good. Default no.
    :param fail_if_empty: Whether a snapshot without shards is a failure. Default yes.
    :param css_conn_id: The Airflow connection. Default ``css_default``. (templated)
    :param deferrable: Whether to wait in the triggerer, without a worker slot. Default as Airflow's option
        ``[operators] default_deferrable`` says.
    :param poke_interval: Seconds between two looks. Default 60; deferred it is a lower bound, and the default is 2 at
        first, then growing with the age of the wait up to 60.
    :raises AirflowSensorTimeout: if it has not come within Airflow's ``timeout``.
    :raises AirflowFailException: for everything that no retry can cure.
    :raises CssError: for everything that a retry may cure.

    Source: CSS API reference, "Querying the Snapshot List", 2025-12-01.
    """

    template_fields: Sequence[str] = ("cluster_id", "cluster_name", "snapshot_id", "snapshot_name", "css_conn_id")
    operator_extra_links = (SnapshotLink(),)

    def __init__(
        self,
        *,
        cluster_id: str | None = None,
        cluster_name: str | None = None,
        snapshot_id: str | None = None,
        snapshot_name: str | None = None,
        expect: str = "good",
        allow_partial: bool = False,
        fail_if_empty: bool = True,
        css_conn_id: str = CssHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            cluster_id=cluster_id,
            cluster_name=cluster_name,
            css_conn_id=css_conn_id,
            deferrable=deferrable,
            poke_interval=poke_interval,
            **kwargs,
        )
        self.snapshot_id = snapshot_id
        self.snapshot_name = snapshot_name
        self.expect = expect
        self.allow_partial = allow_partial
        self.fail_if_empty = fail_if_empty
        # Rendering overwrites the fields; afterwards nobody could tell the DAG's own None from a rendered one.
        self.given_fields = tuple(name for name in self.template_fields if getattr(self, name) is not None)

    def condition(self, context: Any) -> Condition:  # noqa: ARG002 - only some sensors need it
        """
        Return what is waited for, from the rendered fields.

        :param context: Airflow's context.
        """
        from airflow_css.sensors.one_snapshot import snapshot_condition

        return snapshot_condition(self)


class ClusterIdleSensor(CssSensor):
    """
    Waits until a cluster is up and nothing runs on it, and gives its id, name and status.

    It takes no turn: another task may start something on the cluster right after. ``CreateSnapshotOperator`` waits for
    its turn by itself and needs no sensor in front. Whether snapshots are turned on does not matter here.

    .. seealso:: :doc:`/how-to/wait-for-snapshots`

    :param cluster_id: The cluster's id. (templated)
    :param cluster_name: The cluster's exact name, instead of the id. (templated) Without either, the connection's
        default cluster is used.
    :param css_conn_id: The Airflow connection. Default ``css_default``. (templated)
    :param deferrable: Whether to wait in the triggerer, without a worker slot. Default as Airflow's option
        ``[operators] default_deferrable`` says.
    :param poke_interval: Seconds between two looks. Default 60; deferred it is a lower bound, and the default is 2 at
        first, then growing with the age of the wait up to 60.
    :raises AirflowSensorTimeout: if it did not become idle within Airflow's ``timeout``.
    :raises AirflowFailException: for everything that no retry can cure, such as a cluster that is down.
    :raises CssError: for everything that a retry may cure.

    Source: CSS API reference, "Querying Cluster Details", 2025-12-01.
    """

    template_fields: Sequence[str] = ("cluster_id", "cluster_name", "css_conn_id")

    def __init__(
        self,
        *,
        cluster_id: str | None = None,
        cluster_name: str | None = None,
        css_conn_id: str = CssHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            cluster_id=cluster_id,
            cluster_name=cluster_name,
            css_conn_id=css_conn_id,
            deferrable=deferrable,
            poke_interval=poke_interval,
            **kwargs,
        )
        self.given_fields = tuple(name for name in self.template_fields if getattr(self, name) is not None)

    def condition(self, context: Any) -> Condition:  # noqa: ARG002 - only some sensors need it
        """
        Return what is waited for.

        :param context: Airflow's context.
        """
        from airflow_css.protocol.sensed import ClusterIdle

        return ClusterIdle()


class SnapshotFreshnessSensor(CssSensor):
    """
    Says whether there is a good backup that is new enough, and gives its facts; if not, says why.

    It looks once and fails at once, unless a ``timeout`` is given: then it waits. A snapshot is as old as its start.
    Good is: completed, no shard failed, not empty, in the bucket that the cluster reads.

    .. seealso:: :doc:`/how-to/freshness-alarm`

    :param max_age: How old the newest good snapshot may be, as ``timedelta`` or in seconds, 1 to 31,536,000 (a year).
    :param cluster_id: The cluster's id. (templated)
    :param cluster_name: The cluster's exact name, instead of the id. (templated) Without either, the connection's
        default cluster is used.
    :param name_prefix: Only snapshots whose names begin so. (templated)
    :param scope: Only snapshots made by this ``package``, by this ``deployment`` or by this ``dag``. Default: any.
    :param kind: Only ``manual`` or only ``automatic`` snapshots. Default: both.
    :param css_conn_id: The Airflow connection. Default ``css_default``. (templated)
    :param deferrable: Whether to wait in the triggerer, without a worker slot. Default as Airflow's option
        ``[operators] default_deferrable`` says.
    :param poke_interval: Seconds between two looks. Default 60; deferred it is a lower bound, and the default is 2 at
        first, then growing with the age of the wait up to 60.
    :param timeout: How long to wait, as ``timedelta`` or in seconds. Default: not at all.
    :raises AirflowFailException: if there is none, or for everything else that no retry can cure.
    :raises AirflowSensorTimeout: if a timeout was given and none came within it.
    :raises CssError: for everything that a retry may cure.

    Source: CSS API reference, "Querying the Snapshot List", 2025-12-01.
    """

    template_fields: Sequence[str] = ("cluster_id", "cluster_name", "name_prefix", "css_conn_id")
    operator_extra_links = (SnapshotLink(),)

    def __init__(
        self,
        *,
        max_age: timedelta | float,
        cluster_id: str | None = None,
        cluster_name: str | None = None,
        name_prefix: str | None = None,
        scope: str | None = None,
        kind: str | None = None,
        css_conn_id: str = CssHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float | None = None,
        timeout: timedelta | float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            cluster_id=cluster_id,
            cluster_name=cluster_name,
            css_conn_id=css_conn_id,
            deferrable=deferrable,
            poke_interval=poke_interval,
            timeout=0.0 if timeout is None else timeout,
            **kwargs,
        )
        self.max_age = max_age
        self.name_prefix = name_prefix
        self.scope = scope
        self.kind = kind
        self.looks_once = timeout is None
        self.given_fields = tuple(name for name in self.template_fields if getattr(self, name) is not None)

    def condition(self, context: Any) -> Condition:
        """
        Return what is waited for, from the rendered fields.

        :param context: Airflow's context.
        """
        from airflow_css.sensors.freshness import fresh_condition

        return fresh_condition(self, context)

    def wish(self, context: Any) -> Wish:
        """
        Return the wait.

        :param context: Airflow's context.
        """
        from airflow_css.sensors.freshness import FreshnessWish

        self._wish = self._wish or FreshnessWish(self, context)
        return self._wish
