"""
What holds for every test: a clean environment, a throw-away Airflow home, and no network beyond this machine.

The environment is cleaned while this file is imported, because Airflow reads it when it is imported itself.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.masking import masks_come_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world import World

_OURS = "AIRFLOW_CSS_TEST_"
_FOREIGN_PREFIXES = ("AIRFLOW_", "HUAWEICLOUD_", "HC_CONTAINER_")
_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy"}

# getaddrinfo is asked about these without a packet leaving the machine.
_LOCAL_NAMES = {"", "localhost", "ip6-localhost", "0.0.0.0", "::", socket.gethostname()}  # noqa: S104 - compared only


def _is_foreign(name: str) -> bool:
    if name.startswith(_OURS):
        return False
    return name.startswith(_FOREIGN_PREFIXES) or name.lower() in _PROXIES


def _clean_environment() -> str:
    """Forget whatever the shell says about clouds, proxies and Airflow; return a new Airflow home."""
    for name in [name for name in os.environ if _is_foreign(name)]:
        del os.environ[name]
    home = tempfile.mkdtemp(prefix="airflow-css-tests-")
    os.environ["AIRFLOW_HOME"] = home
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    # Airflow 2 warns at import that its metrics count seconds; 3 has only this unit.
    # Nothing answers at the address of a metadata service here, and nobody may ask there.
    os.environ["AIRFLOW__AIRFLOW_CSS__METADATA_ENDPOINT"] = "off"
    os.environ["AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY"] = "True"
    return home


_AIRFLOW_HOME = _clean_environment()


def pytest_unconfigure() -> None:
    """Remove the throw-away Airflow home."""
    shutil.rmtree(_AIRFLOW_HOME, ignore_errors=True)


# The machines that run this share their cores, so a slow example says nothing about the code.
hypothesis.settings.register_profile("default", deadline=None, print_blob=True)
hypothesis.settings.register_profile("quick", parent=hypothesis.settings.get_profile("default"), max_examples=20)
hypothesis.settings.register_profile(
    "thorough",
    parent=hypothesis.settings.get_profile("default"),
    max_examples=2_000,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("default")


@pytest.fixture(autouse=True)
def _environment_comes_back() -> Iterator[None]:
    """Undo whatever a test, or the code under test, did to the environment."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _masks_come_back() -> Iterator[None]:
    """Undo what a test had Airflow mask: in a later test it would hide what that one is about."""
    with masks_come_back():
        yield


class NetworkAccessError(OSError):
    """A test tried to talk to another machine."""


class _NetworkGuard:
    """
    Refuses and remembers every attempt to leave this machine.

    The refusal alone is not enough: code under test that survives a broken network would hide it. So the
    attempt is remembered, and the test in which it happened fails.
    """

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self.contacts: list[tuple[str, Any]] = []

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Judge one event of ``sys.addaudithook``."""
        if event in {"socket.connect", "socket.sendto"}:
            self._judge(event, arguments[1])
        elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            self._judge(event, arguments[:2])

    def _judge(self, event: str, address: Any) -> None:
        if isinstance(address, tuple):
            self.contacts.append((event, address))
        # A path or an abstract name belongs to a Unix socket; None to a socket that is connected already.
        if not isinstance(address, tuple) or _is_loopback(address[0]):
            return
        attempt = f"{event} {address[0]!r}"
        self.attempts.append(attempt)
        message = f"a test may only talk to this machine: {attempt}"
        raise NetworkAccessError(message)


def _is_loopback(host: Any) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    if text in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


_NETWORK_GUARD = _NetworkGuard()
sys.addaudithook(_NETWORK_GUARD.audit)


@pytest.fixture(autouse=True)
def _network_stays_local() -> Iterator[None]:
    """Fail a test that tried to leave this machine, even when the code under test swallowed the refusal."""
    _NETWORK_GUARD.attempts.clear()
    _NETWORK_GUARD.contacts.clear()
    yield
    if _NETWORK_GUARD.attempts:
        pytest.fail("left this machine: " + ", ".join(_NETWORK_GUARD.attempts))


@pytest.fixture
def contacts() -> list[tuple[str, Any]]:
    """Whom this test asked the system for, as event and address; loopback included."""
    return _NETWORK_GUARD.contacts


@pytest.fixture
def refused() -> list[str]:
    """The refused attempts to leave this machine: a test that makes them on purpose judges and clears them."""
    return _NETWORK_GUARD.attempts


@pytest.fixture
def world() -> Iterator[World]:
    """An emulated CSS over HTTP, a clock that waiting turns, and a connection ``css_default`` that leads there."""
    # Imported late: the environment must be clean before Airflow is loaded.
    from tests.world import new_world

    with new_world() as world:
        yield world
