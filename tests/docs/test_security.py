"""The page on security: each statement has its proof, and each policy names the calls that are made."""

from __future__ import annotations

import ast
import json
import re

import pytest

from airflow_css.protocol import wire
from tests.docs.markdown import ROOT, page
from tests.docs.permitted import PERMISSIONS, SCENES, permissions_of

PAGE = page("docs/security.md")
# By the words in bold: the tests that prove it, as file and function.
PROOFS = {
    "A DAG names no host": """
        security/test_no_switch.py::test_no_task_chooses_host_proxy_or_certificates
        client/test_endpoints.py::test_no_region_leads_elsewhere
    """,
    "A rendered value reaches no other path": """
        security/test_templated_values.py::test_a_rendered_value_leads_nowhere_else
    """,
    "An empty id deletes nothing": "protocol/test_wire.py::test_no_deletion_switches_snapshots_off",
    "A bad value is an error before anything is sent": """
        security/test_templated_values.py::test_many_rendered_values_lead_nowhere_else
        operators/test_deletion.py::test_a_bad_value_is_refused_before_anything_is_sent
        operators/test_restoration.py::test_bad_input_is_refused_before_anything_is_sent
    """,
    "Retention stays in its own house": """
        protocol/test_selection.py::test_a_scope_reaches_as_far_as_it_says
        operators/test_pruning.py::test_strangers_go_only_by_name
    """,
    "A held snapshot and the last good one stay": """
        operators/test_deletion.py::test_a_held_one_is_refused_with_the_way_out
        operators/test_deletion.py::test_an_automatic_one_goes_only_when_the_policy_is_off
        operators/test_pruning.py::test_the_last_good_one_is_not_lost_to_another_cleaner
    """,
    "Only what is listed counts": """
        hooks/test_settings.py::test_another_key_is_warned_about_and_ignored
        hooks/test_settings.py::test_a_slip_is_an_error_with_the_right_key
    """,
    "Requests are encrypted": """
        client/test_endpoints.py::test_plain_http_stays_on_this_machine
        hooks/test_css.py::test_hosts_without_encryption_are_the_deployments_choice
    """,
    "A host is a host": """
        client/test_endpoints.py::test_what_is_more_or_less_than_an_address_is_refused
        security/test_connection_fields.py::test_a_connection_leads_where_it_says_or_nowhere
    """,
    "The machine's own keys are out of reach": """
        client/test_endpoints.py::test_the_address_that_hands_out_keys_is_no_endpoint
    """,
    "Unchecked certificates are told": """
        hooks/test_css.py::test_an_unchecked_certificate_is_told_once_in_a_task_s_log_and_in_the_test_button
    """,
    "A link leads where its template says": "hooks/test_console_url.py::test_values_cannot_change_the_address",
    "Redirects are not followed": "client/test_sender.py::test_a_redirect_is_not_followed",
    "Certificates are checked": "client/test_sender_network.py::test_a_certificate_that_nobody_trusts_is_refused",
    "A proxy sees a name": """
        client/test_sender_network.py::test_an_encrypted_request_shows_the_proxy_only_where_it_goes
    """,
    "A changed request is refused": """
        emulator/test_gate_every_byte.py::test_every_byte_counts_exactly_when_it_does_for_the_official_signer
    """,
    "An answer is not trusted": """
        house/test_secrets.py::test_a_failed_task_leaves_no_secret_behind
        protocol/test_wire.py::test_a_refusal_in_the_dress_of_a_success_is_a_refusal
    """,
    "Refused keys are sent twice at most": """
        tasks/test_looks.py::test_from_whatever_call_on_the_keys_are_refused_two_requests_are_the_most
        operators/test_deletion.py::test_refused_keys_are_sent_at_most_twice
    """,
    "A trigger carries no key": "system/test_secrets.py::test_no_secret_is_written",
    "An event carries no key": """
        system/test_secrets.py::test_no_secret_is_written
        house/test_secrets.py::test_a_failed_task_leaves_no_secret_behind
    """,
    "A stranger's snapshot is not taken for ours": """
        exactly_once/test_conflicts.py::test_the_name_of_a_stranger_is_refused_with_a_way_out
        protocol/test_provenance.py::test_a_strangers_description_has_no_mark
    """,
    "A hostile list is read or refused": """
        protocol/test_parsing.py::test_garbage_is_read_or_refused
        protocol/test_wire.py::test_any_answer_is_read_or_refused_in_our_words
    """,
    "Nothing is left on the disk": "security/test_files.py::test_nothing_but_the_demo_writes_files",
    "The demo's files are its owner's": """
        security/test_files.py::test_the_password_of_the_demo_s_page_is_its_owner_s
        security/test_files.py::test_the_log_of_the_demo_is_its_owner_s_and_follows_no_link
    """,
    "The demo and the emulator listen on this machine": """
        demo_ui/test_settings.py::test_every_server_is_told_to_listen_on_loopback
        emulator/test_main.py::test_opening_it_to_others_is_warned_of
    """,
}
POLICIES = {block.name: json.loads(block.text) for block in PAGE.blocks("json")}
KINDS = re.findall(r"^### .*?`?(\w+)`?$", PAGE.text, re.MULTILINE)
ACTIONS = {kind: set(policy["Statement"][0]["Action"]) for kind, policy in zip(KINDS, POLICIES.values(), strict=True)}
# One stands for all in the quick suite: a scene takes up to seconds.
QUICK = {"DeleteSnapshotOperator", "ListSnapshotsOperator", "ClusterIdleSensor", "test_connection"}


def _is_there(proof: str) -> bool:
    file, _, function = proof.partition("::")
    path = ROOT / "tests" / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    return any(isinstance(node, ast.FunctionDef) and node.name == function for node in tree.body)


def test_each_statement_has_its_proof() -> None:
    """No statement stands on the page without a test, and no test is kept for one that is gone."""
    assert re.findall(r"^- \*\*(.+?)\.\*\*", PAGE.text, re.MULTILINE) == list(PROOFS)


@pytest.mark.parametrize("statement", PROOFS)
def test_a_proof_exists(statement: str) -> None:
    """Each named test is there under its name."""
    assert PROOFS[statement].split()
    assert [proof for proof in PROOFS[statement].split() if not _is_there(proof)] == []


def test_a_proof_that_is_gone_would_be_noticed() -> None:
    """Neither a missing file nor a missing function passes."""
    assert not _is_there("docs/test_gone.py::test_a_proof_exists")
    assert not _is_there("docs/test_security.py::test_gone")


def test_a_policy_is_one_that_can_be_pasted() -> None:
    """Each has the version of custom policies, allows single actions by name, and is sorted for comparing."""
    for policy in POLICIES.values():
        assert set(policy) == {"Version", "Statement"}
        assert policy["Version"] == "1.1"
        (statement,) = policy["Statement"]
        assert statement["Effect"] == "Allow"
        assert statement["Action"] == sorted(set(statement["Action"]))
        assert set(statement["Action"]) <= set(PERMISSIONS.values())


def test_each_kind_of_task_has_a_policy() -> None:
    """Every operator and sensor has one, and so have the Test button and whoever only looks."""
    assert set(ACTIONS) == {*SCENES, "client"}
    assert ACTIONS["client"] == {PERMISSIONS[call.name] for call in wire.CALLS if call.is_read}
    assert {call.name for call in wire.CALLS} == set(PERMISSIONS)


@pytest.mark.parametrize(
    "kind", [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.heavy) for kind in SCENES]
)
def test_a_policy_names_the_calls_that_are_made(kind: str) -> None:
    """Waiting, failing and succeeding, in worker and triggerer, a task asks for exactly what its policy allows."""
    assert ACTIONS[kind] == permissions_of(kind)


def test_what_can_be_left_out_is_told() -> None:
    """Each permission in the tables is one of the service; those that are never used are in no policy."""
    optional = {row[0].strip("`") for row in PAGE.table("without")}
    assert optional <= set(PERMISSIONS.values())
    never = {row[0].strip("`") for row in PAGE.table("permission")}
    assert not never & set(PERMISSIONS.values())
