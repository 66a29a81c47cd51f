"""
The pod identity of a container cluster: keys for whoever shows the token that the pod was given.

Source: huaweicloudsdkcore 3.1.219, pod identity credentials. Assumed: the path, which a client is told in full anyway.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

from airflow_css.emulator.exchange import Reply, Request
from airflow_css.emulator.identity_app import IdentityService, text_reply
from airflow_css.emulator.issuing import StandingKey, credential_reply

__all__ = ["POD_CALLS", "PodIdentity"]

POD_PATH = "/v1/credentials"
POD_CALLS = {("POST", POD_PATH): "get_pod_credentials"}
TOKEN_MODE = 0o600


class PodIdentity:
    """
    What a pod is given. ``token`` is what it has to show; give another one, and the old one is refused.

    :param key: What it hands out.
    """

    def __init__(self, key: StandingKey) -> None:
        self.key = key
        self.token = secrets.token_urlsafe(200)

    def service(self) -> IdentityService:
        """Return what it knows."""
        effects = {"get_pod_credentials": self._get_credentials}
        return IdentityService(POD_CALLS, effects, lambda _request: None, lambda _request: text_reply(404, ""))

    def write_token(self, file: Path) -> None:
        """
        Write the token where a pod would find it, for the owner of the file alone.

        :param file: Where.
        """
        file.touch(TOKEN_MODE)
        file.chmod(TOKEN_MODE)
        file.write_text(f"{self.token}\n")

    def _get_credentials(self, request: Request) -> Reply:
        """Assumed: what a wrong token is answered with."""
        shown = request.headers.get("Authorization") or ""
        if not hmac.compare_digest(shown.strip().encode(), self.token.encode()):
            return text_reply(401, "Unauthorized")
        return credential_reply(200, self.key.current())
