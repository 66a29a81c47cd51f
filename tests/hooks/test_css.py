"""The hook: what it says before anything is sent."""

from __future__ import annotations

import json
import os
import pickle
import secrets
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseHook

from airflow_css.client.css import CssClient
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssConfigError
from tests.masking import redacted
from tests.task_log import reading_the_log
from tests.world import World

PROJECT = "6204a5bd270343b5885144cf9c8c158d"
CONNECTION: dict[str, Any] = {
    "conn_type": "huaweicloud_css",
    "login": "ACCESSKEY",
    "password": "planted-secret-key",
    "extra": {"region": "cn-north-4", "project_id": PROJECT, "security_token": "planted-token"},
}
METHODS = """
    create_snapshot ensure_snapshot list_snapshots get_snapshot find_snapshot delete_snapshot
    get_cluster find_cluster list_clusters get_snapshot_policy
"""


def _declare(name: str = "CSS_DEFAULT", **changes: Any) -> None:
    os.environ[f"AIRFLOW_CONN_{name}"] = json.dumps({**CONNECTION, **changes})


def test_the_hook_is_one_of_airflows() -> None:
    """Airflow finds type, name and default connection where it looks for them."""
    assert issubclass(CssHook, BaseHook)
    assert (CssHook.conn_type, CssHook.hook_name) == ("huaweicloud_css", "Huawei Cloud CSS")
    assert (CssHook.conn_name_attr, CssHook.default_conn_name) == ("css_conn_id", "css_default")
    assert getattr(CssHook(), CssHook.conn_name_attr) == CssHook.default_conn_name


def test_a_connection_becomes_a_client() -> None:
    """The client goes to the region's address, and is made once."""
    _declare()
    hook = CssHook()
    client = hook.get_conn()
    assert isinstance(client, CssClient)
    assert client is hook.get_conn()
    assert "https://css.cn-north-4.myhuaweicloud.com" in repr(client)
    assert PROJECT in repr(client)
    assert "planted" not in f"{client!r} {hook.settings!r} {vars(hook)!r}"


def test_a_connection_of_the_older_type_works() -> None:
    """Whoever has a connection of the older provider can use it as it is."""
    _declare("OLDER", conn_type="huaweicloud", extra={**CONNECTION["extra"], "domain_id": "x", "obs_bucket": "y"})
    assert CssHook("older").settings.warnings == ()


def test_region_and_project_of_the_hook_go_first() -> None:
    """One connection can serve several regions."""
    _declare()
    settings = CssHook(region="eu-west-101", project_id="0" * 32).settings
    assert (settings.region, settings.project_id) == ("eu-west-101", "0" * 32)


@pytest.mark.parametrize("conn_id", ["css_default", "nowhere"])
def test_a_missing_connection_is_named_with_the_ways_to_add_it(conn_id: str) -> None:
    """The message says which one is missing and how to make it, and the Test button says the same."""
    hook = CssHook(conn_id)
    with pytest.raises(CssConfigError) as caught:
        hook.get_conn()
    assert all(
        part in str(caught.value) for part in (repr(conn_id), "Huawei Cloud CSS", f"AIRFLOW_CONN_{conn_id.upper()}")
    )
    assert CssHook(conn_id).test_connection() == (False, str(caught.value))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"login": "", "password": ""}, "HUAWEICLOUD_SDK_AK"),
        ({"password": ""}, "secret key"),
        ({"extra": {"region": "cn-north-4"}, "host": "http://127.0.0.1:9"}, "project_id"),
        ({"extra": {"project_id": PROJECT}}, "region"),
        ({"extra": {**CONNECTION["extra"], "regoin": "x"}}, "Did you mean 'region'"),
        ({"host": "http://css.example.com"}, "allow_http_hosts"),
        ({"login": "ACCESS KEY"}, "access key"),
    ],
)
def test_the_test_button_names_the_mistake(changes: dict[str, Any], words: str) -> None:
    """A connection that cannot be used is told before anything is sent, without its secrets."""
    _declare(**changes)
    works, message = CssHook().test_connection()
    assert not works
    assert words in message
    assert "planted" not in message


def test_an_unknown_extra_is_logged_once() -> None:
    """A warning names the key, however often the settings are read."""
    _declare(extra={**CONNECTION["extra"], "colour": "blue"})
    with reading_the_log() as log:
        hook = CssHook()
        assert hook.settings is hook.settings
        hook.get_conn()
    assert len(log.having("'colour'", "warning")) == 1
    assert "blue" not in log.text


def test_an_unchecked_certificate_is_told_once_in_a_task_s_log_and_in_the_test_button(world: World) -> None:
    """Whoever reads the log of a task or presses the button learns that nobody checks, however many calls were made."""
    world.connect(verify=False)
    with reading_the_log() as log:
        assert world.run().state == "success"
    assert len(world.emulator.requests) > 3
    assert len(log.having("the server's certificate is NOT checked", "warning")) == 1
    works, answer = CssHook().test_connection()
    assert works
    assert "the server's certificate is NOT checked" in answer
    world.connect()
    assert "NOT checked" not in CssHook().test_connection()[1]


def test_the_password_of_the_proxy_is_masked() -> None:
    """Airflow shows it in no log, neither percent-encoded as in the address nor as it is."""
    word = f"Zq{secrets.token_hex(8)}"
    _declare(extra={**CONNECTION["extra"], "proxy": f"http://user:{word}%40{word}@proxy.example.com:3128"})
    line = f"through {word}@{word} and {word}%40{word}"
    assert redacted(line) == line
    assert CssHook().settings.rules.proxy
    assert redacted(line) == "through *** and ***"


def test_hosts_without_encryption_are_the_deployments_choice() -> None:
    """The option of the deployment opens what no connection can."""
    _declare(host="http://css-emulator:8099")
    os.environ["AIRFLOW__AIRFLOW_CSS__ALLOW_HTTP_HOSTS"] = "css-emulator"
    assert "http://css-emulator:8099" in repr(CssHook().get_conn())


def test_the_connections_deployment_goes_first() -> None:
    """The connection's own name for the deployment goes before the one of the configuration."""
    os.environ["AIRFLOW__AIRFLOW_CSS__DEPLOYMENT"] = "from-option"
    _declare()
    _declare("NAMED", extra={**CONNECTION["extra"], "deployment": "from-connection"})
    assert CssHook().deployment == "from-option"
    assert CssHook("named").deployment == "from-connection"


def test_keys_are_renewed_from_the_connection() -> None:
    """Reading again tells whether the keys are other ones, and the next client has them."""
    _declare()
    hook = CssHook()
    before = hook.get_conn()
    assert not hook.renew_keys()
    _declare(password="planted-secret-key-2")
    assert hook.renew_keys()
    assert hook.settings.credentials.secret_key == "planted-secret-key-2"
    assert hook.get_conn() is not before


def test_a_hook_that_was_not_used_crosses_processes() -> None:
    """A hook that has read nothing yet can be pickled."""
    hook = pickle.loads(pickle.dumps(CssHook("other", region="cn-north-1")))  # noqa: S301 - our own
    assert (hook.css_conn_id, hook.region, hook.project_id) == ("other", "cn-north-1", None)


@pytest.mark.parametrize("name", METHODS.split())
def test_the_hook_offers_the_clients_calls(name: str) -> None:
    """Each call of the client can be made on the hook."""
    assert callable(getattr(CssHook, name))
    assert callable(getattr(CssClient, name))
