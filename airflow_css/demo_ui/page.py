"""Airflow's page as its user reaches it: is it there, who may come in, which connections and DAGs does it know."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from airflow_css.demo_ui.settings import LOOPBACK

__all__ = ["AirflowPage"]

ANSWER_SECONDS = 30.0
PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


class AirflowPage:
    """
    A visitor of the page.

    :param port: Its port on loopback.
    :param user: The user's name.
    :param password: The password that goes with it.
    """

    def __init__(self, port: int, user: str, password: str) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self.user = user
        self.password = password
        self._token = ""  # nosec B105 - none yet
        # A proxy that the environment names must not stand between this process and its own children.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def missing(self) -> str:
        """Return what is not ready yet, empty once the page is there and every part of Airflow is healthy."""
        try:
            self._open("GET", "/")
            health = json.loads(self._open("GET", "/api/v2/monitor/health"))
        except (OSError, ValueError):
            return "the page"
        return ", ".join(part for part in PARTS if (health.get(part) or {}).get("status") != "healthy")

    def log_in(self) -> None:
        """Come in, as the form of the page does."""
        answer = self._open("POST", "/auth/token", {"username": self.user, "password": self.password})
        self._token = json.loads(answer)["access_token"]

    def add_connection(self, name: str, facts: Mapping[str, Any]) -> None:
        """
        Store a connection, where the page shows it and its user can change it.

        :param name: The connection's id.
        :param facts: What the connection holds.
        """
        body = {**facts, "connection_id": name, "extra": json.dumps(facts["extra"])}
        self._open("POST", "/api/v2/connections", body)

    def dag_ids(self) -> set[str]:
        """Return the DAGs that the page lists; none while it is too busy to answer."""
        try:
            listed = json.loads(self._open("GET", "/api/v2/dags"))["dags"]
        except OSError:
            return set()
        return {dag["dag_id"] for dag in listed}

    def _open(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> str:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the demo's own http server
            self.url + path, data, headers, method=method
        )
        with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
            return str(answer.read(), "utf-8")
