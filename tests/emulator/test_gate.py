"""The signature check: what passes, what does not, in which words, and when the key is locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.exchange import Headers, Refusal, Request
from airflow_css.emulator.gate import LARGEST_BODY, Gate
from airflow_css.emulator.keys import Key, KeyRing
from airflow_css.protocol import signing
from airflow_css.protocol.signing import SignableRequest

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
PERMANENT = Key("AK", "the-secret")
TEMPORARY = Key("AK", "the-secret", "TOKEN/+==")
FAR_FUTURE = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass
class Sender:
    """Signs requests and takes them to a gate at which it is noon for the clients."""

    key: Key = PERMANENT
    lock_after: int | None = 5
    clock: TurnableClock = field(default_factory=lambda: TurnableClock(frozen=True, start=FAR_FUTURE))
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        """Build the gate; its own clock shows quite another time."""
        self.gate = Gate(KeyRing([self.key]), self.clock, self.lock_after, client_time=lambda: NOON)

    def send(
        self,
        *,
        signed: Mapping[str, str | None] | None = None,
        unsigned: Mapping[str, str | None] | None = None,
        body: bytes = b"{}",
        sent_body: bytes | None = None,
        secret_key: str = "the-secret",
        access_key: str = "AK",
    ) -> str:
        """Send a request; return an empty text if it passes, otherwise what the gateway says."""
        date = signing.format_date(NOON)
        given = {"Host": "localhost", "X-Sdk-Date": date, **(signed or {})}
        headers = {name: value for name, value in given.items() if value is not None}
        authorization = signing.authorization_header(
            SignableRequest("POST", "/a/b", (("x", "y"),), headers, body),
            access_key=access_key,
            secret_key=secret_key,
            date=headers.get("X-Sdk-Date", date),
        )
        sent = {**headers, "Authorization": authorization, **(unsigned or {})}
        kept = Headers({name: value for name, value in sent.items() if value is not None})
        return self.knock(Request("POST", "/a/b", "x=y", kept, body if sent_body is None else sent_body))

    def knock(self, request: Request) -> str:
        """Take a request to the gate as it is."""
        try:
            self.gate.check(request)
        except Refusal as refusal:
            kind = "Incorrect IAM authentication information: "
            return refusal.message.removeprefix(kind) if refusal.code == "APIGW.0301" else str(refusal)
        return ""


def test_a_signed_request_passes() -> None:
    """What is signed with the known keys is let through."""
    assert Sender().send() == ""


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        (None, "x-auth-token not found"),
        ("Bearer abc", "Authorization format incorrect"),
        ("SDK-HMAC-SHA256 Credential=AK/20260102, SignedHeaders=host, Signature=00", "Authorization format incorrect"),
        ("", "Authorization format incorrect"),
    ],
)
def test_a_request_that_is_not_signed_this_way_is_refused(authorization: str | None, words: str) -> None:
    """No header, another scheme and another form of this scheme are each told."""
    assert Sender().send(unsigned={"Authorization": authorization}) == words


def test_a_token_of_the_sign_in_service_is_not_known() -> None:
    """A request with X-Auth-Token instead of a signature is refused for its token."""
    assert Sender().send(unsigned={"Authorization": None, "X-Auth-Token": "abc"}) == "decrypt token fail"


def test_an_unknown_access_key_is_named() -> None:
    """The gateway repeats the access key it does not know."""
    assert Sender().send(access_key="OTHER") == "Get secretKey failed,ak:OTHER,err:ak not exist"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (15, ""),
        (-15, ""),
        (15.02, "calc ak sk signature fail:signature expired"),
        (-15.02, "calc ak sk signature fail:signature expired"),
    ],
)
def test_the_date_may_differ_by_fifteen_minutes(minutes: float, words: str) -> None:
    """Exactly fifteen minutes pass, a second more does not; the gate's own clock does not matter."""
    assert Sender().send(signed={"X-Sdk-Date": signing.format_date(NOON + timedelta(minutes=minutes))}) == words


@pytest.mark.parametrize("date", [None, "2026-01-02T12:00:00Z", "20260102T120000", "20260230T120000Z"])
def test_a_date_must_be_sent_in_its_form(date: str | None) -> None:
    """A missing date and one of another form are refused."""
    assert Sender().send(signed={"X-Sdk-Date": date}).startswith("X-Sdk-Date ")


def test_a_date_must_be_signed() -> None:
    """A date that is sent beside the signature does not count."""
    unsigned = {"X-Sdk-Date": signing.format_date(NOON)}
    assert Sender().send(signed={"X-Sdk-Date": None}, unsigned=unsigned) == "X-Sdk-Date must be sent and signed"


def test_every_signed_header_must_be_sent() -> None:
    """A header that was signed and got lost on the way is named."""
    words = Sender().send(signed={"X-Extra": "1"}, unsigned={"X-Extra": None})
    assert words == "signed header x-extra is missing or named twice"


def test_a_header_is_signed_once() -> None:
    """An Authorization that names a header twice is refused instead of being understood in one of two ways."""
    authorization = f"SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;Host;x-sdk-date, Signature={'0' * 64}"
    words = Sender().send(unsigned={"Authorization": authorization})
    assert words == "signed header Host is missing or named twice"


@pytest.mark.parametrize(
    "unsigned", [{"Host": "other"}, {"X-Project-Id": "p"}, {"X-Security-Token": "t"}, {"User-Agent": "u"}]
)
def test_only_the_date_has_to_be_signed(unsigned: dict[str, str | None]) -> None:
    """Host, project, token and the rest may be sent unsigned."""
    assert Sender().send(signed={"Host": None}, unsigned=unsigned) == ""


def test_the_body_is_part_of_the_signature() -> None:
    """Another body than the signed one is refused."""
    assert Sender().send(sent_body=b"{ }").startswith("verify aksk signature fail")


@pytest.mark.parametrize(("sent_body", "passes"), [(b"anything", True), (b"", False)])
def test_a_signed_content_hash_stands_for_the_body(sent_body: bytes, *, passes: bool) -> None:
    """With a signed X-Sdk-Content-Sha256 the body may be any but the empty one."""
    words = Sender().send(signed={"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}, sent_body=sent_body)
    assert (words == "") is passes


def test_a_wrong_signature_is_answered_with_what_was_understood() -> None:
    """The gateway repeats the canonical request with bars for line breaks, the security token included."""
    sender = Sender(TEMPORARY)
    words = sender.send(signed={"X-Security-Token": "TOKEN/+=="}, secret_key="the-secreu")
    assert words == (
        "verify aksk signature fail, canonicalRequest:POST|/a/b/|x=y|host:localhost|x-sdk-date:20260102T120000Z"
        "|x-security-token:TOKEN/+==||host;x-sdk-date;x-security-token"
        "|44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )
    assert "the-secret" not in words


@pytest.mark.parametrize(
    ("token", "words"),
    [("TOKEN/+==", ""), ("OTHER", "decrypt token fail"), (None, "X-Security-Token is required for a temporary AK")],
)
@pytest.mark.parametrize("signed", [True, False])
def test_a_temporary_key_needs_its_token(token: str | None, words: str, *, signed: bool) -> None:
    """The right token passes, signed or not; another one or none is refused."""
    headers = {"X-Security-Token": token}
    sender = Sender(TEMPORARY)
    assert (sender.send(signed=headers) if signed else sender.send(unsigned=headers)) == words


def test_a_body_of_more_than_twelve_megabytes_is_refused() -> None:
    """The gateway's limit counts before the signature does."""
    sender = Sender()
    assert sender.send(body=b"x" * LARGEST_BODY) == ""
    assert sender.send(body=b"x" * (LARGEST_BODY + 1)) == "413 APIGW.0201: Request entity too large"


LIMIT = "AK access failed to reach the limit,forbidden."


def test_more_than_five_failures_in_a_row_lock_the_key_for_five_minutes() -> None:
    """After six failures a good signature is refused too, until five minutes have passed."""
    sender = Sender()
    for _ in range(6):
        assert sender.send(secret_key="wrong").startswith("verify aksk")
    assert sender.send() == LIMIT
    sender.clock.advance(299)
    assert sender.send() == LIMIT
    sender.clock.advance(1)
    assert sender.send() == ""


def test_five_failures_do_not_lock_the_key() -> None:
    """A good signature after five bad ones passes, and the count begins anew."""
    sender = Sender()
    for _ in range(2):
        for _ in range(5):
            assert sender.send(secret_key="wrong").startswith("verify aksk")
        assert sender.send() == ""


def test_after_a_lock_the_count_begins_anew() -> None:
    """Once the lock is over, five more failures are allowed."""
    sender = Sender()
    for _ in range(6):
        sender.send(secret_key="wrong")
    sender.clock.advance(300)
    for _ in range(5):
        assert sender.send(secret_key="wrong").startswith("verify aksk")
    assert sender.send() == ""


def test_an_unknown_access_key_locks_nothing() -> None:
    """Failures of somebody else's key do not count for the known one."""
    sender = Sender()
    for _ in range(10):
        sender.send(access_key="OTHER")
    assert sender.send() == ""


def test_the_lock_can_be_switched_off() -> None:
    """Without a limit any number of failures is told as what it is."""
    sender = Sender(lock_after=None)
    for _ in range(10):
        assert sender.send(secret_key="wrong").startswith("verify aksk")
    assert sender.send() == ""


def test_the_keys_stay_out_of_the_repr() -> None:
    """Whoever prints a gate sees neither the secret key nor the token."""
    text = repr(Sender(TEMPORARY).gate)
    assert "the-secret" not in text
    assert "TOKEN" not in text
