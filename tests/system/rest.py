"""The little of Airflow's public REST API that the bench acts through, for versions 2 and 3."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any


class RestError(Exception):
    """Airflow answered a request with an error status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text[:2000]}")
        self.status = status


class AirflowApi:
    """
    A client of one Airflow's REST API.

    :param root: URL of the server, without a path.
    :param major: major version of Airflow, 2 or 3.
    """

    def __init__(self, root: str, major: int) -> None:
        self._root = root
        self._major = major
        self._token: str | None = None
        # A proxy of the caller's environment must not stand between the bench and its own server.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def log_in(self, user: str, password: str) -> None:
        """
        Come in with a password, as a user of Airflow 3 does.

        :raises RestError: when it is the wrong one.
        """
        self._token = self._send("POST", "/auth/token", {"username": user, "password": password})["access_token"]

    def health(self) -> dict[str, str]:
        """Return the status word of each component, empty while the server does not answer."""
        path = "/api/v2/monitor/health" if self._major >= 3 else "/api/v1/health"
        try:
            answer = self._send("GET", path, None)
        except (RestError, OSError, ValueError):
            return {}
        return {name: str(part.get("status")) for name, part in answer.items() if isinstance(part, dict)}

    def call(self, method: str, *path: str, body: object = None) -> Any:
        """
        Send one request and return the parsed answer, None when it has no body.

        :param path: parts of the path behind the version; each is quoted.
        :raises RestError: on any status of 400 and above.
        """
        if self._major >= 3 and self._token is None:
            self._token = self._send("GET", "/auth/token", None)["access_token"]
        quoted = "/".join(urllib.parse.quote(part, safe="") for part in path)
        return self._send(method, f"/api/{'v2' if self._major >= 3 else 'v1'}/{quoted}", body)

    def submit(self, path: str, fields: Mapping[str, str]) -> str:
        """
        Submit a form to a page of Airflow 2 and return the text of the answer.

        :raises RestError: on any status of 400 and above.
        """
        data = urllib.parse.urlencode(fields).encode()
        return self._open("POST", path, data, {})

    def _send(self, method: str, path: str, body: object) -> Any:
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        data = None
        if body is not None:
            # Airflow 2 refuses a request that announces JSON and brings none.
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        text = self._open(method, path, data, headers)
        return json.loads(text) if text else None

    def _open(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> str:
        request = urllib.request.Request(  # noqa: S310 - the bench's own http server
            self._root + path, data, {"Accept": "application/json", **headers}, method=method
        )
        try:
            with self._opener.open(request, timeout=60) as answer:
                return str(answer.read(), "utf-8")
        except urllib.error.HTTPError as error:
            # The error holds the connection until it is closed.
            with error:
                raise RestError(error.code, error.read().decode(errors="replace")) from error
