"""What a connection says: each field counts, and each mistake is named."""

from __future__ import annotations

import json
import os
import re
import string
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Connection
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_css.client.rules import SendingRules
from airflow_css.hooks.form import EXTRA_FIELDS, LEGACY_EXTRAS
from airflow_css.hooks.settings import ConnectionSettings, read_settings
from airflow_css.protocol.errors import CssConfigError

PROJECT, OTHER_PROJECT = "6204a5bd270343b5885144cf9c8c158d", "0" * 32
CLUSTER = "4f3deec3-efa8-4598-bf91-560aad1377a3"
SECRET, TOKEN = "MFyfvK41ba2giqM7Uio6Pzn", "gQpjbi1ub3J0aC00token"
KEYS = {"HUAWEICLOUD_SDK_AK": "ENVACCESSKEY", "HUAWEICLOUD_SDK_SK": "env-secret-key"}
EXTRA = {"region": "cn-north-4", "project_id": PROJECT}
NAMES = [field.name for field in EXTRA_FIELDS]


def _connection(extra: Any = EXTRA, **fields: Any) -> Connection:
    return Connection(
        conn_id="css_default",
        conn_type="huaweicloud_css",
        extra=extra if isinstance(extra, str | None) else json.dumps(extra),
        **{"login": "ACCESSKEY", "password": SECRET, **fields},
    )


def _read(extra: Any = EXTRA, environ: dict[str, str] | None = None, **fields: Any) -> ConnectionSettings:
    return read_settings(_connection(extra, **fields), environ=environ or {})


def _refusal(extra: Any = EXTRA, environ: dict[str, str] | None = None, **fields: Any) -> str:
    with pytest.raises(CssConfigError) as caught:
        _read(extra, environ, **fields)
    return str(caught.value)


def test_a_small_connection_is_enough() -> None:
    """Keys, region and project make a connection; everything else has a default."""
    settings = _read()
    assert settings.endpoint == "https://css.cn-north-4.myhuaweicloud.com"
    assert (settings.credentials.access_key, settings.credentials.secret_key) == ("ACCESSKEY", SECRET)
    assert settings.credentials.security_token is None
    assert (settings.project_id, settings.region) == (PROJECT, "cn-north-4")
    assert (settings.cluster_id, settings.deployment, settings.warnings) == ("", "", ())
    assert settings.rules == SendingRules()
    assert settings.keys_from == "the connection"


# For each key of the form: a value, and what must follow from it.
EFFECTS: dict[str, tuple[Any, str, Any]] = {
    "region": ("eu-west-101", "endpoint", "https://css.eu-west-101.myhuaweicloud.com"),
    "project_id": (OTHER_PROJECT, "project_id", OTHER_PROJECT),
    "cluster_id": (CLUSTER, "cluster_id", CLUSTER),
    "deployment": (" prod ", "deployment", "prod"),
    "security_token": (TOKEN, "credentials.security_token", TOKEN),
    "credential_source": ("environment", "keys_from", "the environment"),
    "agency_name": ("css-backup", "keys_from", "the agency css-backup (asked for with the keys of the connection)"),
    "agency_domain_name": ("hwc-prod", "keys.source.domain_name", "hwc-prod"),
    "iam_endpoint": ("https://iam.example.com", "iam_endpoint", "https://iam.example.com"),
    "verify": ("/etc/ssl/own.pem", "rules.verify", "/etc/ssl/own.pem"),
    "timeout_seconds": (5, "rules.read_seconds", 5.0),
    "connect_timeout_seconds": ("2.5", "rules.connect_seconds", 2.5),
    "proxy": ("proxy.example.com:3128", "rules.proxy", "http://proxy.example.com:3128"),
    "console_url_template": ("https://console/{cluster_id}", "console_url_template", "https://console/{cluster_id}"),
}


# Neither half of an agency means anything alone.
TOGETHER = {"agency_name": {"agency_domain_name": "hwc-prod"}, "agency_domain_name": {"agency_name": "css-backup"}}


def test_every_key_of_the_form_is_tried() -> None:
    """A key that is added to the form needs a row in the table of effects."""
    assert set(EFFECTS) == set(NAMES)


@pytest.mark.parametrize("key", EFFECTS)
def test_every_key_of_the_form_does_something(key: str) -> None:
    """Each key has its effect, and empty or null is as if it were not there."""
    value, path, expected = EFFECTS[key]
    found: Any = _read({**EXTRA, **TOGETHER.get(key, {}), key: value})
    usual: Any = _read()
    for part in path.split("."):
        found, usual = getattr(found, part), getattr(usual, part, None)
    assert found == expected != usual
    if key not in EXTRA:
        assert _read({**EXTRA, key: None}) == _read({**EXTRA, key: ""}) == _read()


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        (True, True),
        (False, False),
        ("true", True),
        ("False", False),
        ("FALSE", False),
        ("/ca.pem", "/ca.pem"),
        (None, True),
    ],
)
def test_certificates_are_checked_as_said(given_value: Any, expected: bool | str) -> None:  # noqa: FBT001 - a table's column
    """A JSON truth value and its word mean the same; anything else is a path."""
    assert _read({**EXTRA, "verify": given_value}).rules.verify == expected


@pytest.mark.parametrize("value", [0, 0.5, -1, 601, "soon", "nan", "inf", True, [], {}])
@pytest.mark.parametrize("key", ["timeout_seconds", "connect_timeout_seconds"])
def test_an_odd_time_out_is_refused(key: str, value: Any) -> None:
    """The message names the key, the value and the range."""
    message = _refusal({**EXTRA, key: value})
    assert repr(key) in message
    assert "1 to 600" in message


def _misspelt(name: str) -> list[str]:
    """Every kind of slip that is one or two characters away."""
    middle = len(name) // 2
    return [
        name[1:],
        name[:-1],
        f"{name}s",
        f"x{name}",
        name[:middle] + name[middle + 2 :],
        name.replace("_", "-"),
        name.upper() if len(name) < 3 else name[0].upper() + name[1:],
        name[:middle] + name[middle : middle + 2][::-1] + name[middle + 2 :],
    ]


@pytest.mark.parametrize(("name", "slip"), [(n, s) for n in NAMES for s in _misspelt(n) if s != n])
def test_a_slip_is_an_error_with_the_right_key(name: str, slip: str) -> None:
    """A key that is nearly right would be a silent default otherwise."""
    message = _refusal({**EXTRA, slip: "x"})
    assert repr(slip) in message
    assert f"Did you mean {name!r}?" in message


@given(st.text(string.ascii_letters + "_", min_size=1, max_size=25))
def test_another_key_is_warned_about_and_ignored(key: str) -> None:
    """What is far from every known key changes nothing, and one sentence names it and the known ones."""
    assume(key not in NAMES and key not in LEGACY_EXTRAS)
    try:
        settings = _read({**EXTRA, key: "planted-value"})
    except CssConfigError as refused:
        assert "Did you mean" in str(refused)  # noqa: PT017 - one of two legal answers
        return
    assert len(settings.warnings) == 1
    assert repr(key) in settings.warnings[0]
    assert all(name in settings.warnings[0] for name in NAMES)
    assert "planted-value" not in settings.warnings[0]
    assert settings.rules == SendingRules()


def test_a_connection_of_the_older_provider_is_understood() -> None:
    """Keys that mean nothing for snapshots pass without a warning."""
    extra = {**EXTRA, **dict.fromkeys(LEGACY_EXTRAS, "x")}
    assert _read(extra) == _read()


# Airflow 2.11 itself warns of what 3 no longer takes.
@pytest.mark.filterwarnings("ignore:Encountered")
@pytest.mark.parametrize("extra", ["nonsense", "[]", '["region"]', "null", '"region"', "5", '{"region": "cn-north-4"'])
def test_an_extra_that_is_no_object_is_refused(extra: str) -> None:
    """The message shows what an extra looks like, and not what was there."""
    message = _refusal(extra)
    assert re.search(r"not a JSON object such as \{.region", message)


def test_what_is_missing_is_named_with_an_example() -> None:
    """Region, project and keys: each message names the field to set and a legal value or variable."""
    assert "Set the extra 'region', for example to 'cn-north-4'" in _refusal({"project_id": PROJECT})
    assert "'project_id'" in (message := _refusal({"region": "cn-north-4"}, host="css.example.com"))
    assert PROJECT in message
    assert "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK" in _refusal(login=None, password=None)
    assert all("'css_default'" in text for text in (message, _refusal({}), _refusal(login=None, password=None)))


@pytest.mark.parametrize(
    ("extra", "host", "asked"),
    [
        ({"region": "cn-north-4"}, "css.example.com", "Set the extra 'iam_endpoint' (the host is your own), so"),
        ({"iam_endpoint": "iam.example.com"}, "css.example.com", "Set the extra 'region', so"),
        ({}, "css.example.com", "Set the extra 'region' and 'iam_endpoint' (the host is your own), so"),
    ],
)
def test_only_what_the_project_needs_is_asked_for(extra: dict[str, str], host: str, asked: str) -> None:
    """What is set is not asked for again."""
    assert asked in _refusal(extra, host=host)


def test_the_sign_in_service_may_come_from_the_environment() -> None:
    """The SDK's own variable serves a host of one's own; the connection and a public region go first."""
    own, environ = {"region": "cn-north-4"}, {"HUAWEICLOUD_SDK_IAM_ENDPOINT": " https://iam.example.com "}
    assert _read(own, environ, host="css.example.com").iam_endpoint == "https://iam.example.com"
    given = {**own, "iam_endpoint": "iam.example.org"}
    assert _read(given, environ, host="css.example.com").iam_endpoint == "https://iam.example.org"
    assert _read(own, environ).iam_endpoint == _read(own).iam_endpoint
    for odd in ("http://iam.example.com", "https://169.254.169.254", "https://iam.example.com/v3"):
        said = _refusal(own, {"HUAWEICLOUD_SDK_IAM_ENDPOINT": odd}, host="css.example.com")
        assert said.startswith("The variable HUAWEICLOUD_SDK_IAM_ENDPOINT cannot be used.")


@pytest.mark.parametrize(
    ("login", "password", "missing"),
    [("AK", None, "secret key (password)"), ("AK", " ", "secret key (password)"), (None, SECRET, "access key (login)")],
)
def test_half_a_key_pair_is_refused(login: str | None, password: str | None, missing: str) -> None:
    """Half a pair is a mistake even where the environment has a whole one, and its text is not shown."""
    message = _refusal(environ=KEYS, login=login, password=password)
    assert f"but not the {missing}" in message
    assert SECRET not in message


def test_keys_and_project_may_come_from_the_environment() -> None:
    """A connection without keys uses those of the environment, and says so."""
    environ = {**KEYS, "HUAWEICLOUD_SDK_PROJECT_ID": OTHER_PROJECT, "HUAWEICLOUD_SDK_SECURITY_TOKEN": TOKEN}
    settings = _read({"region": "cn-north-4"}, environ, login=None, password="")
    assert settings.credentials.access_key == "ENVACCESSKEY"
    assert settings.credentials.security_token == TOKEN
    assert settings.project_id == OTHER_PROJECT
    assert settings.keys_from == "the environment"
    assert _read(EXTRA, environ, login=None, password=None).project_id == PROJECT


def test_the_process_environment_is_the_default() -> None:
    """Without a mapping of its own, the process's variables count."""
    os.environ.update(KEYS)
    settings = read_settings(_connection(login=None, password=None))
    assert settings.credentials.access_key == "ENVACCESSKEY"


def test_a_connection_with_keys_needs_nothing_of_the_environment() -> None:
    """Keys of the connection go before those of the environment, whole."""
    settings = _read(EXTRA, {**KEYS, "HUAWEICLOUD_SDK_SECURITY_TOKEN": TOKEN})
    assert (settings.credentials.access_key, settings.credentials.security_token) == ("ACCESSKEY", None)


def test_half_a_pair_in_the_environment_does_not_matter_to_a_whole_connection() -> None:
    """A stray variable cannot break a connection that brings its own keys."""
    assert _read(EXTRA, {"HUAWEICLOUD_SDK_AK": "STRAY"}).credentials.access_key == "ACCESSKEY"


def test_a_hooks_own_region_and_project_go_first() -> None:
    """What the code says goes before what the connection says."""
    settings = read_settings(_connection(), region="eu-west-101", project_id=OTHER_PROJECT, environ={})
    assert settings.endpoint == "https://css.eu-west-101.myhuaweicloud.com"
    assert (settings.region, settings.project_id) == ("eu-west-101", OTHER_PROJECT)


HOSTS: list[tuple[dict[str, Any], str]] = [
    ({"host": "css.example.com"}, "https://css.example.com"),
    ({"host": "https://css.example.com/"}, "https://css.example.com"),
    ({"host": "css.example.com", "port": 8443}, "https://css.example.com:8443"),
    ({"host": "css.example.com:444", "port": 8443}, "https://css.example.com:444"),
    ({"host": "https://css.example.com", "port": 8443}, "https://css.example.com:8443"),
    ({"host": "127.0.0.1", "port": 8099, "schema": "http"}, "http://127.0.0.1:8099"),
    ({"host": "http://127.0.0.1:8099"}, "http://127.0.0.1:8099"),
    ({"host": "https://css.example.com", "schema": "http"}, "https://css.example.com"),
    ({"host": "css.example.com", "schema": "https"}, "https://css.example.com"),
]


@pytest.mark.parametrize(("fields", "expected"), HOSTS)
@pytest.mark.parametrize("extra", [EXTRA, {"project_id": PROJECT}], ids=["with region", "without"])
def test_a_host_goes_before_the_region(fields: dict[str, Any], expected: str, extra: dict[str, str]) -> None:
    """Host, port and schema may be given apart or as one address; then no region is needed."""
    assert _read(extra, **fields).endpoint == expected


@pytest.mark.parametrize(
    "host", ["http://css.example.com", "css.example.com/path", "u:p@css.example.com", "https://[::1"]
)
def test_a_bad_host_is_refused(host: str) -> None:
    """The rules for addresses hold for connections too."""
    assert repr(host.replace("u:p@", "***@")) in _refusal(host=host)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("project_id", "my project"),
        ("project_id", PROJECT.upper()),
        ("cluster_id", "search-prod"),
        ("region", "Peking"),
    ],
)
def test_a_bad_value_is_refused(key: str, value: str) -> None:
    """A wrong id or region is found before anything is sent."""
    message = _refusal({**EXTRA, key: value})
    assert repr(value) in message
    assert key.removesuffix("_id") in message


@pytest.mark.parametrize("value", [5, True, [], {}, ["a"], {"a": 1}, 1.5])
@pytest.mark.parametrize("key", NAMES)
def test_any_json_in_any_key_is_read_or_refused(key: str, value: Any) -> None:
    """A value of another type never crashes the reading."""
    try:
        settings = _read({**EXTRA, key: value})
    except CssConfigError:
        return
    assert isinstance(settings, ConnectionSettings)


def test_printing_the_settings_shows_no_secret() -> None:
    """Neither text nor representation holds the secret key or the token."""
    settings = _read({**EXTRA, "security_token": TOKEN})
    for printed in (repr(settings), str(settings), f"{settings.__dict__}"):
        assert SECRET not in printed
        assert TOKEN not in printed
        assert PROJECT in printed


def test_a_wrong_console_address_is_a_warning_only() -> None:
    """Nobody goes without a backup for a link, but the warning names the key, the rule and what is legal."""
    settings = _read({**EXTRA, "console_url_template": "https://console/{cluster}"})
    assert settings.console_url_template == ""
    (warning,) = settings.warnings
    assert "'console_url_template' of connection 'css_default' cannot be used: {cluster} is no placeholder" in warning
    assert "{cluster_id}" in warning


def test_a_bad_proxy_names_the_key_and_shows_no_password() -> None:
    """The message says which extra of which connection, what is wrong, and hides the login."""
    message = _refusal({**EXTRA, "proxy": f"http://user:{SECRET}@proxy.example.com/path"})
    assert "The extra 'proxy' of connection 'css_default' cannot be used." in message
    assert "***@proxy.example.com" in message
    assert SECRET not in message


def test_the_password_of_the_proxy_is_a_secret_as_written_and_as_meant() -> None:
    """Whatever form of it appears in a log is masked, and the settings do not print it."""
    settings = _read({**EXTRA, "security_token": TOKEN, "proxy": "http://user:pl%40nted@proxy.example.com"})
    assert settings.proxy_secrets() == ("pl%40nted", "pl@nted")
    assert "nted" not in f"{settings!r} {settings}"
    assert _read().proxy_secrets() == ()


def test_an_unchecked_certificate_is_warned_about() -> None:
    """One sentence says what it means, where it stands and what to set instead; a checked one brings none."""
    (warning,) = _read({**EXTRA, "verify": False}).warnings
    assert "'css_default' has 'verify' false: the server's certificate is NOT checked" in warning
    assert "path of the CA bundle" in warning
    assert _read({**EXTRA, "verify": "/etc/ssl/own.pem"}).warnings == ()


def test_a_region_that_is_not_known_is_warned_about_once() -> None:
    """The warning names the address; with a host of its own the region is only a name."""
    extra = {**EXTRA, "region": "cn-north-3"}
    settings = _read(extra)
    assert settings.endpoint == "https://css.cn-north-3.myhuaweicloud.com"
    (warning,) = settings.warnings
    assert settings.endpoint in warning
    assert _read(extra, host="css.example.com").warnings == ()
    assert _read({**EXTRA, "region": "eu-wst-101"}, host="css.example.com").region == "eu-wst-101"


def test_a_misspelt_region_is_refused() -> None:
    """A slip is found before anything is sent."""
    assert "Did you mean 'cn-north-4'?" in _refusal({**EXTRA, "region": "cn-nroth-4"})
