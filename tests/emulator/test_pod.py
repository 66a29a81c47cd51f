"""The pod identity: keys for the pod's token."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.emulator.asking import Asker, key_of


def test_a_key_is_given_for_the_token_of_the_pod() -> None:
    """It signs for CSS, and the next who asks is given the same."""
    asker = Asker()
    reply = asker.pod()
    assert asker.css(key_of(reply)).status == 200
    assert key_of(asker.pod()) == key_of(reply)


def test_another_token_is_refused() -> None:
    """A wrong and an empty token are answered with 401, and so is the old one once it changed."""
    asker = Asker()
    old = asker.identity.pod.token
    assert (asker.pod("wrong").status, asker.pod("").status, asker.pod(old).status) == (401, 401, 200)
    asker.identity.pod.token = "next"
    assert (asker.pod(old).status, asker.pod("next").status) == (401, 200)


def test_the_token_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    """The file holds the token and a line break, and nobody else may read it."""
    asker, file = Asker(), tmp_path / "token"
    asker.identity.pod.write_token(file)
    assert file.read_text() == f"{asker.identity.pod.token}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
