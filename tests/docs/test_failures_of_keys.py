"""The cook-book's rows on keys that could not be had: each is what a task really says, and what Airflow does."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest

from airflow_css.emulator.iam import Project
from tests.docs.markdown import page
from tests.key_places import KeyPlace, key_place

ROWS = page("docs/failures.md").table("the error says", below="## The keys could not be had")
OTHER_PROJECT = Project("0" * 32, "eu-west-101")


def _found_last(place: KeyPlace) -> None:
    for name in ("HUAWEICLOUD_SDK_AK", "HC_CONTAINER_CREDENTIALS_FULL_URI", "HUAWEICLOUD_SDK_SK"):
        del os.environ[name]
    place.connect(credential_source=None)


def _nowhere(place: KeyPlace) -> None:
    _found_last(place)
    place.go_down()


def _something_else(status: int) -> Callable[[KeyPlace], None]:
    def spoil(place: KeyPlace) -> None:
        _found_last(place)
        place.world.emulator.identity.faults.answer(status, body="<html></html>", call="get_metadata_token", times=None)

    return spoil


def _set(name: str, value: str) -> Callable[[KeyPlace], None]:
    return lambda _place: os.environ.update({name: value})


def _without_project(place: KeyPlace) -> None:
    place.connect(project_id=None, iam_endpoint=place.world.emulator.identity.iam_url)


def _no_project_there(place: KeyPlace) -> None:
    _without_project(place)
    place.world.emulator.identity.iam.projects.clear()


def _two_projects(place: KeyPlace) -> None:
    _without_project(place)
    place.world.emulator.identity.iam.projects.append(OTHER_PROJECT)


def _projects_forbidden(place: KeyPlace) -> None:
    _without_project(place)
    place.world.emulator.identity.faults.no_permission(call="list_projects", times=None)


def _old_keys(place: KeyPlace) -> None:
    changed = {"expires_at": "2020-01-08T02:56:19.587000Z"}
    place.world.emulator.identity.faults.odd_key(changed=changed, call="get_security_key", times=None)


SCENES: dict[str, tuple[str, Callable[[KeyPlace], None]]] = {
    "nor a server's metadata service has any": ("metadata", _nowhere),
    "has any (the metadata service answered HTTP 403)": ("metadata", _something_else(403)),
    "It was asked because nothing else has keys": ("metadata", _something_else(500)),
    "The metadata service of this server has no keys": ("metadata", KeyPlace.forbid),
    "The metadata service of this server does not answer": ("metadata", KeyPlace.go_down),
    "The identity of this pod has no keys": ("pod", KeyPlace.forbid),
    "The identity agent of this pod does not answer": ("pod", KeyPlace.go_down),
    "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE names cannot be read": (
        "pod",
        _set("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere/token"),
    ),
    "HC_CONTAINER_CREDENTIALS_FULL_URI holds no address": (
        "pod",
        _set("HC_CONTAINER_CREDENTIALS_FULL_URI", "http://keys.example.com/"),
    ),
    "lacks the secret key": ("metadata", KeyPlace.garble),
    "have ended already": ("metadata", _old_keys),
    "There is no agency": ("agency", lambda place: place.connect(agency_name="css-laoder")),
    "may not take on the agency": ("agency", KeyPlace.forbid),
    "names an agency by half": ("agency", lambda place: place.connect(agency_domain_name=None)),
    "has no project.": ("connection", lambda place: place.connect(project_id=None)),
    "no project in the region": ("connection", _no_project_there),
    "more than one project in the region": ("connection", _two_projects),
    "may not list projects": ("connection", _projects_forbidden),
}


def test_every_row_has_a_scene() -> None:
    """No row is without the task that says it."""
    assert [re.findall(r"`([^`]+)`", row[0])[0] for row in ROWS] == list(SCENES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_task_says_what_the_row_says(row: list[str]) -> None:
    """The error has the words and names the way out, nothing was made, and Airflow retries or does not."""
    words = row[0].strip("`")
    name, spoil = SCENES[words]
    with key_place(name) as place:
        spoil(place)
        outcome = place.world.run(retries=1)
        assert words in str(outcome.error)
        assert outcome.state == {"retries": "up_for_retry", "fails at once": "failed"}[row[3]]
        assert place.world.emulator.snapshots() == ()
        if row[3] == "fails at once":
            for said in re.findall(r"`(\w+)", row[2]):
                assert said in str(outcome.error), said
