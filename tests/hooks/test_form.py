"""The connection form: both ways to declare it say the same."""

from __future__ import annotations

import json

import pytest

from airflow_css.hooks.css import CssHook
from airflow_css.hooks.form import EXTRA_FIELDS, LEGACY_EXTRAS, conn_fields, ui_field_behaviour
from airflow_css.provider_info import get_provider_info

STANDARD = {"description", "host", "port", "login", "password", "schema", "extra"}


def test_the_declared_form_and_the_hooks_own_agree() -> None:
    """Airflow before 3.2 asks the hook, later ones read the provider's description: both say the same."""
    declared = get_provider_info()["connection-types"][0]
    from_hook = CssHook.get_ui_field_behaviour()
    assert declared["ui-field-behaviour"] == {key.replace("_", "-"): value for key, value in from_hook.items()}
    assert set(declared["conn-fields"]) == {field.name for field in EXTRA_FIELDS}


def test_the_older_form_has_a_widget_for_each_field() -> None:
    """Where the older form's libraries are installed, names, labels and secrecy agree with the declared fields."""
    pytest.importorskip("flask_appbuilder", reason="this Airflow has no such form")
    from wtforms import Form, PasswordField

    widgets = CssHook.get_connection_form_widgets()
    assert list(widgets) == list(conn_fields())
    form = type("DrawnForm", (Form,), widgets)()
    for name, declared in conn_fields().items():
        field = form[name]
        assert str(field.label.text) == declared["label"]
        assert field.description == declared["description"]
        assert isinstance(field, PasswordField) is (declared["schema"].get("format") == "password")


def test_standard_fields_are_named_rightly() -> None:
    """Only fields that Airflow has are hidden, renamed or given an example, and none is both hidden and renamed."""
    behaviour = ui_field_behaviour()
    hidden, renamed = set(behaviour["hidden_fields"]), set(behaviour["relabeling"])
    assert hidden | renamed | set(behaviour["placeholders"]) <= STANDARD
    assert not hidden & (renamed | set(behaviour["placeholders"]))


def test_the_secret_extras_are_hidden() -> None:
    """What is typed as the security token is not shown, nor the proxy, whose address may hold a password."""
    hidden = {name for name, field in conn_fields().items() if field["schema"].get("format") == "password"}
    assert hidden == {"security_token", "proxy"}
    assert {name for name, field in conn_fields().items() if "format" in field["schema"]} == hidden


def test_each_field_can_be_left_empty_and_is_explained() -> None:
    """No extra field is required by the form, and each has a label and a sentence."""
    for field in conn_fields().values():
        assert "null" in field["schema"]["type"]
        assert field["label"]
        assert field["description"].endswith(".")
    json.dumps(conn_fields())


def test_the_older_providers_keys_are_none_of_ours() -> None:
    """A key is either known or ignored, never both."""
    assert not LEGACY_EXTRAS & set(conn_fields())


def test_what_is_handed_out_can_be_changed_by_its_reader() -> None:
    """Airflow may change what it gets without changing what the next reader gets."""
    ui_field_behaviour()["hidden_fields"].append("host")
    ui_field_behaviour()["relabeling"].clear()
    assert ui_field_behaviour()["hidden_fields"] == ["schema", "port"]
    assert ui_field_behaviour()["relabeling"]
