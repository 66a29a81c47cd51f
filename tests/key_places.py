"""The places that keys come from, each with an emulated world behind it, for the matrices of hook and trigger."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_css.client.iam import PROJECTS
from airflow_css.client.key_ring import RINGS
from tests.world import World, new_world

__all__ = ["AGENCY", "RENEWING", "KeyPlace", "key_place"]

RENEWING = ("pod", "metadata", "agency", "agency of metadata")
"""The places whose keys end by themselves."""

_CALLS = {"pod": "get_pod_credentials", "metadata": "get_security_key", "agency": "assume_agency"}
_SERVICES = {"pod": "pod", "metadata": "metadata", "agency": "iam"}
AGENCY = {"agency_name": "css-loader", "agency_domain_name": "emulator-account"}
LASTS = 3600.0


@dataclass
class KeyPlace:
    """
    One place that keys come from, and the world that takes them.

    :param name: One of ``RENEWING``, or ``connection`` or ``environment``.
    :param world: Its emulator serves CSS and the services that hand keys out.
    """

    name: str
    world: World

    @property
    def kind(self) -> str:
        """What hands the keys out that sign."""
        return self.name.partition(" ")[0]

    @property
    def asked(self) -> int:
        """How often keys were asked for."""
        return self.world.emulator.identity.count(_CALLS[self.kind])

    @property
    def refused(self) -> int:
        """How many requests CSS refused with 401."""
        return sum(seen.status == 401 for seen in self.world.emulator.requests)

    def connect(self, **changes: Any) -> None:
        """Write a connection that takes its keys from here; ``changes`` are made to its extra."""
        identity = self.world.emulator.identity
        extra: dict[str, Any] = {"credential_source": self.name.rpartition(" ")[2]}
        if self.kind == "agency":
            extra = {**AGENCY, "iam_endpoint": identity.iam_url, "credential_source": None}
            extra |= {"credential_source": "metadata"} if "of" in self.name else {}
        connection = json.loads(self.world.emulator.connection_json(**{**extra, **changes}))
        if self.name not in {"connection", "agency"}:
            connection |= {"login": None, "password": None}
        os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps(connection)

    def rotate(self) -> None:
        """Let the keys that are out sign no longer, and hand out others from now on."""
        identity = self.world.emulator.identity
        if self.kind == "agency":
            for key in identity.issued:
                if self.world.emulator.keys.find(key.access_key) and "of" not in self.name:
                    self.world.emulator.keys.revoke(key.access_key)
            if "of" in self.name:
                self.world.emulator.keys.revoke(identity.issued[-1].access_key)
        else:
            (identity.pod if self.kind == "pod" else identity.metadata).key.rotate()

    def refuse_all(self) -> None:
        """Let the keys that are out sign no longer, and hand out the same ones all the same."""
        for key in self.world.emulator.identity.issued:
            self.world.emulator.keys.revoke(key.access_key)

    def go_down(self) -> None:
        """Let nobody answer there."""
        self.world.emulator.identity.take_down(_SERVICES[self.kind])

    def come_up(self) -> None:
        """Let it answer again."""
        self.world.emulator.identity.bring_up(_SERVICES[self.kind])

    def garble(self, times: int | None = None) -> None:
        """Hand out keys without their secret half."""
        self.world.emulator.identity.faults.odd_key(without=["secret"], call=_CALLS[self.kind], times=times)

    def forbid(self) -> None:
        """Hand out no keys to whoever asks, for good."""
        identity = self.world.emulator.identity
        if self.kind == "pod":
            identity.pod.token = "another one"
        elif self.kind == "metadata":
            identity.metadata.has_agency = False
        else:
            identity.faults.no_permission(call="assume_agency", times=None)


@contextmanager
def key_place(name: str, **options: Any) -> Iterator[KeyPlace]:
    """
    Yield a place, connected.

    :param name: Which.
    :param options: The emulator's.
    """
    with new_world(identity=True, **options) as world, tempfile.TemporaryDirectory() as folder:
        identity = world.emulator.identity
        identity.metadata.key.lasts = identity.pod.key.lasts = LASTS
        identity.metadata.key.renewed_before = identity.pod.key.renewed_before = LASTS / 2
        variables = {
            "AIRFLOW__AIRFLOW_CSS__METADATA_ENDPOINT": identity.metadata_url,
            "HUAWEICLOUD_SDK_AK": world.emulator.access_key,
            "HUAWEICLOUD_SDK_SK": world.emulator.secret_key,
            **identity.pod_environment(Path(folder) / "token"),
        }
        os.environ.update(variables)
        place = KeyPlace(name, world)
        place.connect()
        try:
            yield place
        finally:
            # The next world may get the same ports, and is another one.
            RINGS.forget()
            PROJECTS.forget()
            for variable in variables:
                os.environ.pop(variable, None)
