"""How patient the sender is."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields

import pytest

from airflow_css.client import rules
from airflow_css.client.rules import SendingRules


@pytest.mark.parametrize("field", [field for field in fields(SendingRules) if field.type in {"float", "int"}])
def test_the_documented_default_is_the_real_one(field: object) -> None:
    """The number that the documentation gives for each rule is the one in force."""
    name, default = getattr(field, "name", ""), getattr(field, "default", None)
    documented = re.findall(rf":param {name}: [^:]*Default (\d+)", SendingRules.__doc__ or "", re.DOTALL)
    assert [float(number) for number in documented] == [default]


def test_certificates_are_checked_by_default() -> None:
    """Nobody gets an unchecked connection without asking for it."""
    assert SendingRules().verify is True


def test_no_proxy_is_the_default_and_none_is_printed() -> None:
    """The address of a proxy may hold a password, so no printed rules show it."""
    assert SendingRules().proxy == ""
    assert "planted" not in f"{SendingRules(proxy='http://user:planted@proxy.example.com:3128')}"


def test_one_look_is_never_more_patient_than_the_rest() -> None:
    """Whoever asks again anyway waits for at most 15 seconds, and for less where the connection says less."""
    usual = SendingRules(verify="/ca.pem", proxy="http://proxy.example.com").for_one_look()
    assert (usual.connect_seconds, usual.read_seconds, usual.tries) == (5.0, 10.0, 1)
    assert (usual.verify, usual.proxy) == ("/ca.pem", "http://proxy.example.com")
    hasty = SendingRules(connect_seconds=1, read_seconds=2).for_one_look()
    assert (hasty.connect_seconds, hasty.read_seconds) == (1, 2)


def test_rules_load_no_requests() -> None:
    """Reading a connection while a DAG is parsed costs no import of requests."""
    code = f"import sys, {rules.__name__}; print('requests' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "False"
