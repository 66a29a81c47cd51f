"""
The services that hand keys out, on this machine: IAM, the metadata service of a server, the pod identity of a cluster.

::

    with CssEmulator(identity=True) as emulator:
        emulator.identity.iam_url

Each has a port of its own, as each has an address of its own in the cloud. They listen on loopback only: the metadata
service gives keys to whoever asks. What they hand out may sign calls of the emulator until its time is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import format_datetime
from functools import partial
from pathlib import Path

from airflow_css.emulator.app import RequestLog, SeenRequest
from airflow_css.emulator.exchange import Reply, Request
from airflow_css.emulator.gate import Gate
from airflow_css.emulator.iam import Iam, Project
from airflow_css.emulator.identity_app import IdentityApp, IdentityService
from airflow_css.emulator.identity_faults import IdentityFaults
from airflow_css.emulator.issuing import Issuer, StandingKey
from airflow_css.emulator.keys import Key
from airflow_css.emulator.metadata import Metadata
from airflow_css.emulator.pod import POD_PATH, PodIdentity
from airflow_css.emulator.server import EmulatorServer

__all__ = ["SERVICES", "IdentityEmulator"]

SERVICES = ("iam", "metadata", "pod")
LOOPBACK = "127.0.0.1"
DAY, HOUR = 86400.0, 3600.0


class IdentityEmulator:
    """
    The services that hand keys out. ``CssEmulator`` makes one, and starts it when it is told to.

    ``iam``, ``metadata`` and ``pod`` are what each of them knows, to be changed at any time. ``faults`` is what is to
    go wrong. Assumed: keys of metadata and pod last a day and are made anew an hour before their end; both can be
    changed, for example ``metadata.key.lasts = 60``.

    :param gate: Checks signatures; knows the keys and the time.
    :param projects: What IAM lists.
    """

    def __init__(self, gate: Gate, projects: Iterable[Project]) -> None:
        self.issuer = Issuer(gate.keys, gate.clock)
        self.iam = Iam(gate, self.issuer, projects)
        self.metadata = Metadata(StandingKey(self.issuer, DAY, HOUR), gate.clock)
        self.pod = PodIdentity(StandingKey(self.issuer, DAY, HOUR))
        self.faults = IdentityFaults()
        self._gate = gate
        self._log = RequestLog()
        self._servers: dict[str, EmulatorServer] = {}
        self._ports: dict[str, int] = {}

    def start(self) -> None:
        """Serve over HTTP; once this returns, the ports answer."""
        self.faults.open()
        for service in SERVICES:
            self.bring_up(service)

    def stop(self) -> None:
        """End all connections and stop serving; what is held or slow gets lost."""
        self.faults.close()
        for service in tuple(self._servers):
            self.take_down(service)
        self._ports.clear()

    def take_down(self, service: str) -> None:
        """
        Let a service refuse connections.

        :param service: ``iam``, ``metadata`` or ``pod``.
        :raises ValueError: if it does not serve.
        """
        if service not in self._servers:
            raise ValueError(f"{service!r} does not serve; these do: {', '.join(self._servers) or 'none'}")
        self._servers.pop(service).stop()

    def bring_up(self, service: str) -> None:
        """
        Let a service serve, on the port that it had before.

        :param service: ``iam``, ``metadata`` or ``pod``.
        :raises ValueError: if there is no such service, or it serves already.
        """
        if service not in SERVICES or service in self._servers:
            raise ValueError(f"{service!r} cannot be brought up; down are {', '.join(self._down()) or 'none'}")
        server = EmulatorServer((LOOPBACK, self._ports.get(service, 0)), partial(self.handle, service))
        server.start()
        self._servers[service] = server
        self._ports[service] = server.port

    @property
    def iam_url(self) -> str:
        """Where IAM serves."""
        return self._url("iam")

    @property
    def metadata_url(self) -> str:
        """
        Where the metadata service serves.

        A client that knows it under its fixed address only can take this for an HTTP proxy.
        """
        return self._url("metadata")

    @property
    def pod_url(self) -> str:
        """What a pod is told in ``HC_CONTAINER_CREDENTIALS_FULL_URI``."""
        return f"{self._url('pod')}{POD_PATH}"

    @property
    def issued(self) -> tuple[Key, ...]:
        """Every temporary key handed out so far, in its order, those whose time is over included."""
        return self.issuer.issued

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """Every call that came in so far, in its order, without headers and body."""
        return self._log.all()

    def count(self, call: str) -> int:
        """
        Return how often a call came in, however it was answered.

        :param call: ``list_projects``, ``assume_agency``, ``get_metadata_token``, ``get_security_key`` or
            ``get_pod_credentials``.
        """
        return sum(seen.call == call for seen in self.requests)

    def handle(self, service: str, request: Request) -> Reply:
        """
        Return the answer to a request, without any socket.

        :param service: ``iam``, ``metadata`` or ``pod``.
        :param request: As for the wire.
        """
        reply = IdentityApp(self._service(service), self._gate.clock, self.faults, self._log).handle(request)
        # The service's time, by which IAM judges the dates of signatures.
        return reply.with_header("Date", format_datetime(self._gate.client_time(), usegmt=True))

    def pod_environment(self, token_file: Path) -> dict[str, str]:
        """
        Write the pod's token to a file and return the variables that a pod is given.

        :param token_file: Where to write it.
        """
        self.pod.write_token(token_file)
        return {
            "HC_CONTAINER_CREDENTIALS_FULL_URI": self.pod_url,
            "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token_file),
        }

    def _service(self, service: str) -> IdentityService:
        known: dict[str, Iam | Metadata | PodIdentity] = {"iam": self.iam, "metadata": self.metadata, "pod": self.pod}
        return known[service].service()

    def _url(self, service: str) -> str:
        if service not in self._ports:
            raise RuntimeError("the services serve only between start() and stop()")
        return f"http://{LOOPBACK}:{self._ports[service]}"

    def _down(self) -> list[str]:
        return [service for service in SERVICES if service not in self._servers]
