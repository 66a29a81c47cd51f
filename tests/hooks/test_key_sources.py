"""The places that keys come from, through the hook: each place in each of its moods."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from airflow_css.client.skew import SkewedClock
from airflow_css.hooks.css import CssHook
from airflow_css.hooks.key_sources import SOURCES
from airflow_css.protocol.errors import (
    CssAuthError,
    CssConfigError,
    CssError,
    CssReplyError,
    CssTransportError,
)
from tests.key_places import RENEWING, KeyPlace, key_place

HOUR = 3600.0


@pytest.fixture(params=RENEWING)
def place(request: pytest.FixtureRequest) -> Iterator[KeyPlace]:
    """Each place whose keys end by themselves."""
    with key_place(request.param) as place:
        yield place


def _look(place: KeyPlace, hook: CssHook | None = None) -> CssHook:
    hook = hook or place.world.hook_class()
    hook.list_snapshots(place.world.emulator.cluster_id)
    return hook


def test_fresh_keys_are_asked_for_once(place: KeyPlace) -> None:
    """Many calls through many hooks of one process ask the place once."""
    for _ in range(5):
        _look(place, _look(place))
    assert (place.asked, place.refused) == (1, 0)


def test_keys_are_renewed_ahead_of_their_end(place: KeyPlace) -> None:
    """Nine minutes before the end the next call brings new keys, and no request is signed with ended ones."""
    hook = _look(place)
    place.world.clock.sleep(HOUR - 540)
    _look(place, hook)
    assert (place.asked, place.refused) == (2, 0)
    assert len({key.access_key for key in place.world.emulator.identity.issued}) >= 2


def test_keys_that_ended_while_nobody_asked_are_renewed_first(place: KeyPlace) -> None:
    """After a pause longer than their life, new keys are there before anything is sent."""
    hook = _look(place)
    place.world.clock.sleep(5 * HOUR)
    _look(place, hook)
    assert (place.asked, place.refused) == (2, 0)


@pytest.mark.parametrize("hours", [-8, 8])
def test_the_end_of_keys_is_judged_by_the_clock_that_told_it(place: KeyPlace, hours: int) -> None:
    """Keys that last an hour serve a machine whose clock shows another zone, and are renewed once an hour there too."""
    place.world.hook_class.clock = SkewedClock(place.world.clock, timedelta(hours=hours))
    hook = _look(place)
    asked = place.asked
    for _ in range(3):
        place.world.clock.sleep(HOUR / 4)
        _look(place, hook)
    assert place.asked == asked
    place.world.clock.sleep(HOUR / 6)
    _look(place, hook)
    # The first date was refused; no keys were.
    assert (place.asked, place.refused) == (asked + 1, 1)


def test_rotated_keys_are_exchanged_within_the_call(place: KeyPlace) -> None:
    """Keys that are refused before their time cost one refused request; the call succeeds."""
    hook = _look(place)
    place.rotate()
    _look(place, hook)
    assert (place.asked, place.refused) == (2, 1)


def test_a_place_that_is_down_matters_only_when_the_keys_end(place: KeyPlace, caplog: pytest.LogCaptureFixture) -> None:
    """The present keys are used with a warning as long as they live; then a retry may help, and does."""
    hook = _look(place)
    place.go_down()
    place.world.clock.sleep(HOUR - 540)
    _look(place, hook)
    assert "could not be renewed; the present ones are used until" in caplog.text
    place.world.clock.sleep(540)
    with pytest.raises(CssTransportError) as caught:
        _look(place, hook)
    assert caught.value.curable
    assert place.refused == 0
    place.come_up()
    _look(place, hook)


def test_malformed_keys_are_no_keys_and_not_shown(place: KeyPlace) -> None:
    """An answer without the secret half is told as such, without what it held."""
    place.garble()
    with pytest.raises(CssReplyError, match="lacks the secret key") as caught:
        _look(place)
    tokens = [key.security_token for key in place.world.emulator.identity.issued]
    assert not any(token and token in f"{caught.value!r} {caught.value}" for token in tokens)
    assert place.world.emulator.count("list_snapshots") == 0


def test_a_missing_permission_is_told_with_its_remedy(place: KeyPlace) -> None:
    """Whoever may have no keys there fails at once, with what to do."""
    place.forbid()
    with pytest.raises(CssConfigError) as caught:
        _look(place)
    remedy = {"pod": "Bind its service account", "metadata": "Give the server an agency", "agency": "Agent Operator"}
    assert remedy[place.kind] in str(caught.value)
    assert place.world.emulator.count("list_snapshots") == 0


@pytest.mark.parametrize("name", ["pod", "metadata"])
def test_the_same_keys_again_are_never_sent_again(name: str) -> None:
    """Keys that are refused and handed out all the same are sent once by the whole process, whoever asks."""
    with key_place(name) as place:
        hook = _look(place)
        place.refuse_all()
        for again in (hook, hook, place.world.hook_class()):
            with pytest.raises(CssAuthError):
                _look(place, again)
        assert (place.asked, place.refused) == (2, 1)


def test_a_connection_that_names_another_place_after_a_refusal_is_followed() -> None:
    """When a place has only refused keys, keys that stand in the connection by then are used."""
    with key_place("metadata") as place:
        hook = _look(place)
        place.refuse_all()
        with pytest.raises(CssAuthError):
            _look(place, hook)
        with pytest.raises(CssAuthError):
            hook.renew_keys()
        os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = place.world.emulator.connection_json()
        assert hook.renew_keys()
        _look(place, hook)
        assert place.refused == 1


def test_refused_base_keys_of_an_agency_are_sent_once() -> None:
    """The sign-in service sees keys that it refuses once, however often keys of the agency are needed."""
    with key_place("agency") as place:
        emulator = place.world.emulator
        os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = os.environ["AIRFLOW_CONN_CSS_DEFAULT"].replace(
            emulator.secret_key, emulator.secret_key[::-1]
        )
        for _ in range(5):
            with pytest.raises(CssAuthError):
                _look(place)
        assert sum(seen.status == 401 for seen in emulator.identity.requests) == 1


def test_an_answer_that_repeats_a_temporary_secret_is_cleaned(place: KeyPlace) -> None:
    """Whatever key a request was signed with, its secrets are cut out of the refusal, before and after a renewal."""
    hook = _look(place)
    for _ in range(2):
        keys = hook.settings.credentials
        words = f"planted {keys.security_token} and {keys.secret_key}"
        place.world.emulator.faults.answer(403, "CSS.0010", message=words, call="list_snapshots")
        with pytest.raises(CssAuthError, match=r"planted \*\*\* and \*\*\*") as caught:
            _look(place, hook)
        assert keys.secret_key not in f"{caught.value!r} {vars(caught.value)}"
        place.world.clock.sleep(2 * HOUR)


def test_ten_threads_that_need_new_keys_cause_one_renewal(place: KeyPlace) -> None:
    """However many threads find ended keys at once, the place is asked once."""
    hook = _look(place)
    place.world.clock.sleep(2 * HOUR)
    failures: list[BaseException] = []

    def look(hook: CssHook) -> None:
        try:
            _look(place, hook)
        except CssError as error:
            failures.append(error)

    threads = [threading.Thread(target=look, args=(hook,)) for hook in [hook, place.world.hook_class()] * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert (place.asked, place.refused) == (2, 0)


def test_the_settings_say_where_the_keys_come_from(place: KeyPlace) -> None:
    """The Test button names the place in words, and shows no secret."""
    works, answer = place.world.hook_class().test_connection()
    assert works, answer
    words = {
        "pod": "the identity of this pod",
        "metadata": "the metadata service of this server",
        "agency": "the agency css-loader (asked for with the keys of the connection)",
        "agency of metadata": "the agency css-loader (asked for with the keys of the metadata service",
    }
    assert f"Signed in with the keys of {words[place.name]}" in answer
    for key in place.world.emulator.identity.issued:
        assert key.secret_key not in answer


@pytest.mark.parametrize("name", ["connection", "environment"])
def test_exchanged_keys_of_connection_and_environment_are_used(name: str) -> None:
    """Keys that are refused because they were exchanged are read again, once, by whoever asks through the hook."""
    with key_place(name) as place:
        hook = _look(place)
        spare = place.world.emulator.identity.issuer.issue(HOUR)
        place.world.emulator.keys.revoke(place.world.emulator.access_key)
        if name == "environment":
            names = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN")
            os.environ.update(zip(names, (spare.access_key, spare.secret_key, str(spare.security_token)), strict=True))
            _look(place, hook)
            assert place.refused == 0
            return
        with pytest.raises(CssAuthError):
            _look(place, hook)
        connection = json.loads(os.environ["AIRFLOW_CONN_CSS_DEFAULT"])
        connection |= {"login": spare.access_key, "password": spare.secret_key}
        connection["extra"]["security_token"] = spare.security_token
        os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps(connection)
        assert hook.renew_keys()
        _look(place, hook)
        assert place.refused == 1


def _declare(**extra: Any) -> None:
    usual = {"region": "eu-west-101", "project_id": "6204a5bd270343b5885144cf9c8c158d"}
    connection = {"conn_type": "huaweicloud_css", "host": "http://127.0.0.1:9", "extra": {**usual, **extra}}
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps(connection)


def test_places_are_looked_through_in_their_order() -> None:
    """Without a choice the first place that has keys is taken: connection, environment, pod, metadata."""
    keys = {"login": "AKID", "password": "secret"}
    places: dict[str, dict[str, str]] = {
        "metadata": {"AIRFLOW__AIRFLOW_CSS__METADATA_ENDPOINT": "http://127.0.0.1:9"},
        "pod": {
            "HC_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/",
            "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere",
        },
        "environment": {"HUAWEICLOUD_SDK_AK": "AKID", "HUAWEICLOUD_SDK_SK": "secret"},
    }
    _declare()
    seen = []
    for variables in places.values():
        os.environ.update(variables)
        seen.append(CssHook().settings.keys_from)
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps(json.loads(os.environ["AIRFLOW_CONN_CSS_DEFAULT"]) | keys)
    seen.append(CssHook().settings.keys_from)
    assert seen == [
        "the metadata service of this server",
        "the identity of this pod",
        "the environment",
        "the connection",
    ]


def test_without_keys_anywhere_the_message_names_all_places() -> None:
    """Nobody answers where a server's metadata service would: the ways to give keys are told, and nothing hangs."""
    os.environ["AIRFLOW__AIRFLOW_CSS__METADATA_ENDPOINT"] = "http://127.0.0.1:9"
    _declare()
    works, answer = CssHook().test_connection()
    assert not works
    for place in ("environment", "pod's identity", "metadata service", "HUAWEICLOUD_SDK_AK"):
        assert place in answer


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"credential_source": "vault"}, "one of connection, environment, pod, metadata"),
    ({"credential_source": "connection"}, "has no keys"),
    ({"credential_source": "environment"}, "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK"),
    ({"credential_source": "pod"}, "HC_CONTAINER_CREDENTIALS_FULL_URI"),
    ({"credential_source": "metadata"}, "says 'off'"),
    ({}, "has no keys"),
]


@pytest.mark.parametrize(("extra", "words"), WRONG)
def test_a_choice_that_cannot_be_is_refused(extra: dict[str, Any], words: str) -> None:
    """A place that has no keys, or is none, is named before anything is sent."""
    _declare(**extra)
    works, answer = CssHook().test_connection()
    assert not works
    assert words in answer


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"agency_name": "css"}, "'agency_domain_name' is missing"),
        ({"agency_domain_name": "prod"}, "'agency_name' is missing"),
        ({"agency_name": "css", "agency_domain_name": "prod"}, "Set the extra 'iam_endpoint'"),
        ({"iam_endpoint": "http://iam.example.com"}, "'iam_endpoint' of connection 'css_default' cannot be used"),
    ],
)
def test_half_an_agency_is_refused(extra: dict[str, Any], words: str) -> None:
    """An agency needs its account and a sign-in service; nothing is guessed for an endpoint of one's own."""
    os.environ |= {"HUAWEICLOUD_SDK_AK": "AKID", "HUAWEICLOUD_SDK_SK": "secret"}
    _declare(**extra)
    works, answer = CssHook().test_connection()
    assert not works
    assert words in answer


def test_every_place_is_tried() -> None:
    """A place that is added needs its rows in the matrix."""
    assert set(SOURCES) == {"connection", "environment"} | {name for name in RENEWING if "agency" not in name}
    assert tuple(SOURCES)[:2] == ("connection", "environment")


def test_a_project_that_nobody_names_is_looked_up_by_the_region() -> None:
    """The hook asks the sign-in service once for all hooks of the process, and signs with what it found."""
    with key_place("connection") as place:
        identity = place.world.emulator.identity
        place.connect(project_id=None, iam_endpoint=identity.iam_url)
        for _ in range(3):
            hook = _look(place)
        assert hook.settings.project_id == place.world.emulator.project_id
        assert identity.count("list_projects") == 1


def test_no_project_is_looked_up_for_an_endpoint_of_ones_own() -> None:
    """Signed requests for another cloud do not go to the public sign-in service: the connection must name one."""
    with key_place("connection") as place:
        place.connect(project_id=None)
        with pytest.raises(CssConfigError, match="'iam_endpoint'"):
            _look(place)
