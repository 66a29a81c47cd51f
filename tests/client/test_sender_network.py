"""What lies between the sender and CSS: certificates, a proxy, and redirects that are not followed."""

from __future__ import annotations

import base64
import ipaddress
import os
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from airflow_css.client.clock import SystemClock
from airflow_css.client.credentials import Credentials
from airflow_css.client.css import CssClient, SendingRules
from airflow_css.client.visit import Obstacle, visit
from airflow_css.protocol.errors import CssConfigError, CssError, CssTransportError

PROJECT = "6204a5bd270343b5885144cf9c8c158d"
CLUSTER = "4f3deec3-efa8-4598-bf91-560aad1377a3"
ANSWER = b'{"backups": []}'
# The library itself says what the connection's own warning says already.
UNCHECKED = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers.items())))
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def do_CONNECT(self) -> None:
        self.server.seen.append((self.path, dict(self.headers.items())))
        self.send_error(407)

    def log_message(self, *_arguments: Any) -> None:
        """Keep silent."""


class Listener(ThreadingHTTPServer):
    """Answers with an empty list whoever it is taken for, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, dict[str, str]]] = []

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_arguments: Any) -> None:
        """A client that does not trust the certificate hangs up."""


def _serving(listener: Listener) -> Iterator[Listener]:
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield listener
    listener.shutdown()
    listener.server_close()
    thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server without encryption: an endpoint, or a proxy."""
    yield from _serving(Listener())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate of this machine, which nobody trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = builder.add_extension(here, critical=False).sign(key, hashes.SHA256())
    encoding, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(signed.public_bytes(encoding) + key.private_bytes(encoding, kind, serialization.NoEncryption()))
    return file


@pytest.fixture
def encrypted(certificate: Path) -> Iterator[Listener]:
    """A server with a certificate that nobody trusts."""
    listener = Listener()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    yield from _serving(listener)


def _look(endpoint: str, **rules: Any) -> tuple[Any, ...]:
    client = CssClient(
        endpoint,
        Credentials("AKID", "secret"),
        PROJECT,
        rules=SendingRules(tries=1, **rules),
        allow_http_hosts=["css.example.com"],
    )
    return client.list_snapshots(CLUSTER)


def test_a_certificate_that_nobody_trusts_is_refused(encrypted: Listener) -> None:
    """Nothing is sent, and the message names the setting for the right CA."""
    with pytest.raises(CssTransportError, match=r"the certificate of .* is not trusted\. Set 'verify'") as caught:
        _look(f"https://{encrypted.address}")
    assert not caught.value.request_may_have_arrived
    assert encrypted.seen == []


def test_the_right_ca_bundle_is_trusted(encrypted: Listener, certificate: Path) -> None:
    """With the path of the bundle the same server is talked to; a bundle that is not there is told."""
    assert _look(f"https://{encrypted.address}", verify=str(certificate)) == ()
    assert len(encrypted.seen) == 1
    with pytest.raises(CssConfigError, match="Check the extra 'verify'"):
        _look(f"https://{encrypted.address}", verify=str(certificate.with_suffix(".gone")))


@UNCHECKED
def test_checking_can_be_given_up_in_the_connection_only(encrypted: Listener) -> None:
    """What says no is believed, which is why it is warned about; no variable of the environment says it."""
    os.environ.update({"PYTHONHTTPSVERIFY": "0", "REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""})
    with pytest.raises(CssTransportError):
        _look(f"https://{encrypted.address}")
    assert _look(f"https://{encrypted.address}", verify=False) == ()


def test_a_proxy_is_gone_through_with_its_login(listener: Listener) -> None:
    """The proxy of the connection gets the whole address and the login; CSS would get the signature."""
    proxy = f"http://user:pass%40word@{listener.address}"
    assert _look("http://127.0.0.1:1", proxy=proxy) == ()
    ((path, headers),) = listener.seen
    assert path == f"http://127.0.0.1:1/v1.0/{PROJECT}/clusters/{CLUSTER}/index_snapshots"
    assert headers["Proxy-Authorization"] == f"Basic {base64.b64encode(b'user:pass@word').decode()}"
    assert headers["Authorization"].startswith("SDK-HMAC-SHA256 Access=AKID")


def test_an_encrypted_request_shows_the_proxy_only_where_it_goes(listener: Listener) -> None:
    """A proxy before an https endpoint is asked for a tunnel and sees no signature, and its refusal no password."""
    with pytest.raises(CssError) as caught:
        _look("https://127.0.0.1:1", proxy=f"http://user:planted@{listener.address}")
    assert "ProxyError" in str(caught.value)
    assert "planted" not in repr(caught.value)
    ((path, headers),) = listener.seen
    assert path == "127.0.0.1:1"
    assert "Authorization" not in headers


def test_the_proxy_of_the_connection_goes_before_the_environment(listener: Listener) -> None:
    """What the environment says of proxies, and of hosts without one, does not matter to a connection that has one."""
    os.environ.update({"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "NO_PROXY": "*"})
    assert _look("http://css.example.com", proxy=f"http://{listener.address}") == ()


def test_a_proxy_whose_host_cannot_be_one_is_told() -> None:
    """What is wrong with the environment's proxy is an error of ours, for the client and for the doctor."""
    os.environ.update({"HTTPS_PROXY": "http://a..b:3128", "https_proxy": "http://a..b:3128"})
    client = CssClient("https://css.example.invalid", Credentials("AK", "SK"), "0" * 32, clock=SystemClock())
    with pytest.raises(CssConfigError, match="HTTPS_PROXY"):
        client.list_clusters()
    seen = visit("https://css.example.invalid/", rules=SendingRules(), clock=SystemClock())
    assert seen.obstacle is Obstacle.PROXY


def test_what_runs_on_this_machine_is_behind_no_proxy_of_the_environment(listener: Listener) -> None:
    """An emulator is reached although the environment has a proxy for everything."""
    os.environ.update({"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"})
    assert _look(f"http://{listener.address}") == ()
