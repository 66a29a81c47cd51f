"""What comes in and what goes out: requests, replies, and the shapes in which CSS and its gateway refuse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

__all__ = [
    "Delivery",
    "Headers",
    "Refusal",
    "Reply",
    "Request",
    "css_refusal",
    "gateway_refusal",
    "json_reply",
]

Delivery = Literal["whole", "truncated", "none"]


class Headers:
    """
    The headers of a request, found by name in any case.

    :param pairs: Names and values in the order sent; a mapping will do.
    """

    def __init__(self, pairs: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = tuple(pairs.items() if isinstance(pairs, Mapping) else pairs)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order sent, as they were written."""
        return tuple(name for name, _ in self._pairs)

    def get(self, name: str) -> str | None:
        """
        Return the value of a header; values of a repeated one are joined by commas, ``None`` when there is none.

        :param name: In any case.
        """
        values = [value for key, value in self._pairs if key.lower() == name.lower()]
        return ",".join(values) if values else None


@dataclass(frozen=True)
class Request:
    """
    A request as it came over the wire. Headers and body stay out of the ``repr``: they may hold secrets.

    :param method: The HTTP method.
    :param path: The path, still percent-encoded.
    :param query: What follows the ``?``, still encoded.
    :param headers: The headers.
    :param body: The bytes sent.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = field(default_factory=Headers, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Reply:
    """
    An answer.

    :param status: HTTP status.
    :param headers: The headers, without those that the transport adds.
    :param body: The bytes to send.
    :param delivery: ``whole``; ``truncated``: the connection ends after half of the body; ``none``: it ends without
        an answer.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delivery: Delivery = "whole"

    def json(self) -> Any:
        """Return the decoded body; ``None`` when there is none."""
        return json.loads(self.body) if self.body else None

    def with_header(self, name: str, value: str) -> Reply:
        """
        Return the same answer with one more header.

        :param name: Its name.
        :param value: Its value.
        """
        return replace(self, headers={**self.headers, name: value})


class Refusal(Exception):  # noqa: N818 - it is an answer of the service, not an error of the emulator
    """
    The service says no.

    :param status: HTTP status.
    :param code: For example ``CSS.0043``.
    :param message: In words.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"

    def reply(self, request_id: str) -> Reply:
        """
        Return the answer in the shape of who refuses: the gateway for ``APIGW`` codes, IAM for its own, else CSS.

        Source: API Request Signing Guide, "Error Codes", read 2026-11-23, for the gateway; IAM API reference, "Error
        Codes", read 2026-11-23; the shape of CSS is the one seen in the acceptance tests of its Terraform provider,
        read 2026-11-23.

        :param request_id: What support asks for.
        """
        if self.code.startswith("APIG"):
            body = {"error_msg": self.message, "error_code": self.code, "request_id": request_id}
        elif self.code.startswith("IAM."):
            body = {"error_msg": self.message, "error_code": self.code}
        else:
            body = {"errCode": self.code, "externalMessage": self.message}
        return json_reply(self.status, body)


def json_reply(status: int, payload: Any) -> Reply:
    """
    Return an answer with a JSON body.

    :param status: HTTP status.
    :param payload: What to encode.
    """
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(payload).encode())


# Status and words of each code that the emulator itself answers with.
# Source: CSS API reference, "Error Codes", 2025-12-01. The status of CSS.0011 is the caller's: 202 is printed, 409
# was seen.
_CSS: dict[str, tuple[int, str]] = {
    "CSS.0001": (400, "Incorrect parameters."),
    "CSS.0004": (415, "Invalid operation."),
    "CSS.0006": (400, "The request is null."),
    "CSS.0011": (409, "Another operation is being performed on the cluster, or the cluster is faulty."),
    "CSS.0016": (404, "The snapshot does not exist."),
    "CSS.0029": (409, "The object is being created."),
    "CSS.0030": (413, "The snapshot quota is used up."),
    "CSS.0043": (409, "The snapshot name already exists."),
    "CSS.3011": (400, "The retention period is invalid."),
    "CSS.3016": (400, "The backup file is being deleted. Try again later."),
    "CSS.3026": (400, "The backup file does not exist."),
    "CSS.5090": (400, "The operation is not allowed in the present status."),
    "CSS.5108": (415, "The operation is not supported."),
    "CSS.5140": (400, "The cluster does not support this operation in its present status."),
    "CSS.5301": (400, "The cluster is frozen."),
}


def css_refusal(code: str, detail: str, *, status: int | None = None) -> Refusal:
    """
    Return a refusal by CSS, worded as CSS does: the code, the meaning, a detail in parentheses.

    :param code: One of the codes above.
    :param detail: What exactly is wrong.
    :param status: Another HTTP status than the documented one.
    """
    usual, words = _CSS[code]
    return Refusal(status or usual, code, f"{code} : {words} ({detail})")


def gateway_refusal(status: int, code: str, message: str) -> Refusal:
    """
    Return a refusal by the API gateway, which stands before CSS.

    :param status: HTTP status.
    :param code: The number, for example ``0301``.
    :param message: In words.
    """
    return Refusal(status, f"APIGW.{code}", message)
