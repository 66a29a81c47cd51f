"""The hook: an Airflow connection becomes a client that makes signed calls."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from airflow_css.client.clock import Clock, SystemClock

# The rest is imported where it is used: a DAG file that names an operator pays for this module at every parse.
if TYPE_CHECKING:
    from airflow_css.client.css import CssClient, EnsuredSnapshot
    from airflow_css.hooks.settings import ConnectionSettings
    from airflow_css.protocol.models import Cluster, CreatedSnapshot, Snapshot, SnapshotPolicy

__all__ = ["CssHook"]


class CssHook(BaseHook):
    """
    Makes signed calls to CSS with the keys and the address of an Airflow connection.

    :param css_conn_id: The connection; type ``huaweicloud_css``, or ``huaweicloud`` of the older provider.
    :param region: Goes before the connection's region.
    :param project_id: Goes before the connection's project.
    """

    conn_name_attr = "css_conn_id"
    default_conn_name = "css_default"
    conn_type = "huaweicloud_css"
    hook_name = "Huawei Cloud CSS"

    clock: Clock = SystemClock()
    """Where the time comes from. A subclass may bring another one, for tests."""

    tells_warnings: bool = True
    """Whether its log gets what is doubtful about the connection. One that only repeats another's reading is silent."""

    def __init__(
        self, css_conn_id: str = default_conn_name, *, region: str | None = None, project_id: str | None = None
    ) -> None:
        super().__init__()
        self.css_conn_id = css_conn_id
        self.region = region
        self.project_id = project_id

    @staticmethod
    def get_ui_field_behaviour() -> dict[str, Any]:
        """Return how the form shows Airflow's own fields (before Airflow 3.2)."""
        from airflow_css.hooks.form import ui_field_behaviour

        return ui_field_behaviour()

    @staticmethod
    def get_connection_form_widgets() -> dict[str, Any]:
        """Return the form's extra fields (before Airflow 3.2)."""
        from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
        from flask_babel import lazy_gettext
        from wtforms import PasswordField, StringField

        from airflow_css.hooks.form import EXTRA_FIELDS

        def widget(is_secret: bool, label: str, description: str) -> Any:  # noqa: FBT001 - a local shorthand
            kind, look = (PasswordField, BS3PasswordFieldWidget) if is_secret else (StringField, BS3TextFieldWidget)
            return kind(lazy_gettext(label), widget=look(), description=description)

        return {field.name: widget(field.is_secret, field.label, field.description) for field in EXTRA_FIELDS}

    @cached_property
    def settings(self) -> ConnectionSettings:
        """
        What the connection says, read once.

        :raises CssConfigError: if the connection is missing or cannot be used.
        :raises CssError: if its project must be looked up, and cannot be just now.
        """
        from airflow_css.hooks.settings import read_settings
        from airflow_css.protocol.errors import CssConfigError
        from airflow_css.version_compat import mask_secret

        try:
            connection = self.get_connection(self.css_conn_id)
        except AirflowNotFoundException as cause:
            raise CssConfigError(
                f"The connection {self.css_conn_id!r} does not exist. Add it under Admin, Connections with the type "
                f"{self.hook_name!r}, or set AIRFLOW_CONN_{self.css_conn_id.upper()} in the environment"
            ) from cause
        settings = read_settings(
            connection, region=self.region, project_id=self.project_id, clock=self.clock, keep_secret=mask_secret
        )
        for secret in settings.proxy_secrets():
            mask_secret(secret)
        for warning in settings.warnings if self.tells_warnings else ():
            self.log.warning("%s", warning)
        if settings.keys.source.is_local:
            # So that they are masked, or missed, before anything else happens.
            settings.keys.current()
        return settings if settings.project_id else self._with_project(settings)

    def _with_project(self, settings: ConnectionSettings) -> ConnectionSettings:
        from dataclasses import replace

        from airflow_css.client.iam import find_project_id

        region, endpoint, rules = settings.region, settings.iam_endpoint, settings.rules.brief()
        return replace(
            settings, project_id=find_project_id(settings.keys, region, endpoint, rules=rules, clock=self.clock)
        )

    @cached_property
    def deployment(self) -> str:
        """What tells this Airflow from others on the same clusters; empty when nothing says so."""
        from airflow_css.hooks.options import deployment_of_this_airflow

        return self.settings.deployment or deployment_of_this_airflow()

    @cached_property
    def _client(self) -> CssClient:
        from airflow_css.client.css import CssClient
        from airflow_css.hooks.options import allowed_http_hosts

        settings = self.settings
        return CssClient(
            settings.endpoint,
            settings.keys,
            settings.project_id,
            rules=settings.rules,
            allow_http_hosts=allowed_http_hosts(),
            clock=self.clock,
        )

    def get_conn(self) -> CssClient:
        """
        Return the client, which can be shared by threads.

        :raises CssConfigError: if the connection is missing or cannot be used.
        """
        return self._client

    def renew_keys(self) -> bool:
        """Read the connection again and return whether its keys are other ones than before."""
        from contextlib import suppress

        from airflow_css.protocol.errors import CssAuthError

        before, used = self.settings.keys, None
        # A source that has only refused keys says so; the connection may name another one by now.
        with suppress(CssAuthError):
            used = before.current()
        for kept in ("settings", "_client", "deployment"):
            self.__dict__.pop(kept, None)
        after = self.settings.keys
        return after != before or after.current() != used

    def test_connection(self) -> tuple[bool, str]:
        """Return whether a signed call works, and what was found, for the form's Test button."""
        from airflow_css.diagnosis.examination import examine

        report = examine(self)
        if report.failed:
            return False, report.failed[0].sentence
        settings = self.settings
        where = f"{settings.endpoint}, region {settings.region or 'not given'}, project {settings.project_id}"
        found = next(finding.text for finding in report.findings if finding.check == "clusters")
        signed_in = f"Signed in with the keys of {settings.keys_from} at {where}: {found}."
        return True, " ".join((signed_in, *(finding.sentence for finding in report.warnings)))

    def create_snapshot(
        self,
        cluster_id: str,
        name: str,
        *,
        indices: str | Sequence[str] | None = None,
        description: str | None = None,
    ) -> CreatedSnapshot:
        """Return id and name of a snapshot that CSS began to make: see ``CssClient.create_snapshot``."""
        return self.get_conn().create_snapshot(cluster_id, name, indices=indices, description=description)

    def ensure_snapshot(
        self,
        cluster_id: str,
        name: str,
        *,
        indices: str | Sequence[str] | None = None,
        description: str | None = None,
        allow_partial: bool = False,
        fail_if_empty: bool = True,
    ) -> EnsuredSnapshot:
        """Return the one snapshot of that name, found or made: see ``CssClient.ensure_snapshot``."""
        return self.get_conn().ensure_snapshot(
            cluster_id,
            name,
            indices=indices,
            description=description,
            allow_partial=allow_partial,
            fail_if_empty=fail_if_empty,
        )

    def list_snapshots(self, cluster_id: str) -> tuple[Snapshot, ...]:
        """Return all snapshots of a cluster: see ``CssClient.list_snapshots``."""
        return self.get_conn().list_snapshots(cluster_id)

    def get_snapshot(self, cluster_id: str, snapshot_id: str) -> Snapshot:
        """Return the snapshot with that id: see ``CssClient.get_snapshot``."""
        return self.get_conn().get_snapshot(cluster_id, snapshot_id)

    def find_snapshot(
        self, cluster_id: str, *, snapshot_id: str | None = None, name: str | None = None
    ) -> Snapshot | None:
        """Return the snapshot with that id or name, or ``None``: see ``CssClient.find_snapshot``."""
        return self.get_conn().find_snapshot(cluster_id, snapshot_id=snapshot_id, name=name)

    def delete_snapshot(self, cluster_id: str, snapshot_id: str) -> None:
        """Delete a snapshot for good: see ``CssClient.delete_snapshot``."""
        self.get_conn().delete_snapshot(cluster_id, snapshot_id)

    def restore_snapshot(
        self,
        cluster_id: str,
        snapshot_id: str,
        *,
        target_cluster_id: str,
        indices: str | Sequence[str] | None = None,
        rename_pattern: str | None = None,
        rename_replacement: str | None = None,
        replace_existing: bool = False,
    ) -> None:
        """Begin to restore a snapshot: see ``CssClient.restore_snapshot``."""
        self.get_conn().restore_snapshot(
            cluster_id,
            snapshot_id,
            target_cluster_id=target_cluster_id,
            indices=indices,
            rename_pattern=rename_pattern,
            rename_replacement=rename_replacement,
            replace_existing=replace_existing,
        )

    def get_cluster(self, cluster_id: str) -> Cluster:
        """Return a cluster, with what runs on it: see ``CssClient.get_cluster``."""
        return self.get_conn().get_cluster(cluster_id)

    def find_cluster(self, name: str) -> Cluster | None:
        """Return the cluster with exactly that name, or ``None``: see ``CssClient.find_cluster``."""
        return self.get_conn().find_cluster(name)

    def list_clusters(self) -> tuple[Cluster, ...]:
        """Return all clusters of the project: see ``CssClient.list_clusters``."""
        return self.get_conn().list_clusters()

    def get_snapshot_policy(self, cluster_id: str) -> SnapshotPolicy:
        """Return the policy for automatic snapshots: see ``CssClient.get_snapshot_policy``."""
        return self.get_conn().get_snapshot_policy(cluster_id)
