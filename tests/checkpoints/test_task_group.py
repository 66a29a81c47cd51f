"""How a checkpoint is wired into a DAG, and what is refused while the DAG is parsed."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, BaseOperator, TaskGroup, task

from airflow_css.checkpoints.task_group import css_checkpoint
from airflow_css.protocol.errors import CssUsageError
from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS, AIRFLOW_V_3_1_PLUS

IN_PLACE: dict[str, Any] = {"indices": ["orders"], "in_place": True, "consent": "overwrite"}
FAIL_FAST: dict[str, Any] = {"fail_fast" if AIRFLOW_V_3_0_PLUS else "fail_stop": True}


class Quick(BaseOperator):
    """A task."""

    def execute(self, context: Any) -> None:
        """Do nothing."""


def _dag(given: dict[str, Any], **of_dag: Any) -> Any:
    """Return a DAG with a checkpoint around plain, mapped, nested and users' own setup and teardown tasks."""

    @task
    def each(item: int) -> None:
        """Take one."""

    with DAG("d", schedule=None, **of_dag) as dag:
        with css_checkpoint("load", **given) as protected:
            first, last = Quick(task_id="first"), Quick(task_id="last", trigger_rule="all_done")
            first >> each.expand(item=[1, 2]) >> last
            with TaskGroup("inner"):
                Quick(task_id="a") >> Quick(task_id="b")
            tidy = Quick(task_id="tidy")
            prepare = Quick(task_id="prepare")
            prepare >> Quick(task_id="use") >> tidy.as_teardown(setups=prepare)
        Quick(task_id="before") >> protected >> Quick(task_id="after")
    return dag


def _upstream(dag: DAG, label: str) -> set[str]:
    return {name.removeprefix("load.") for name in dag.get_task(f"load.{label}").upstream_task_ids}


WORK = {"first", "each", "last", "inner.a", "inner.b", "prepare", "use"}


def test_the_snapshot_precedes_whatever_begins_the_work() -> None:
    """Every first task waits for the snapshot, and the snapshot for what comes before the group."""
    dag = _dag(IN_PLACE)
    assert _upstream(dag, "snapshot") == {"before"}
    assert {label for label in WORK if "snapshot" in _upstream(dag, label)} == {"first", "inner.a", "prepare"}
    assert dag.get_task("load.snapshot").is_setup


def test_nothing_is_restored_before_every_task_has_ended() -> None:
    """Restore follows each task of the work directly, users' teardown tasks too, and is a teardown itself."""
    dag = _dag(IN_PLACE)
    restore = dag.get_task("load.restore")
    assert _upstream(dag, "restore") == {*WORK, "tidy", "snapshot"}
    assert (restore.is_teardown, restore.trigger_rule) == (True, "all_done_setup_success")


def test_the_verdict_alone_leads_out_of_the_group() -> None:
    """What follows the group waits for the verdict and nothing else; it runs whatever became of the work."""
    dag = _dag({**IN_PLACE, "safety_snapshot": "*", "retention": {"keep_last": 7}})
    verdict = dag.get_task("load.verdict")
    assert dag.get_task("after").upstream_task_ids == {"load.verdict"}
    assert _upstream(dag, "verdict") == {*WORK - {"prepare"}, "restore"}
    assert (verdict.trigger_rule, verdict.retries, verdict.is_teardown) == ("all_done", 0, False)


def test_the_seal_counts_for_the_run() -> None:
    """It is a teardown whose failure fails the run, after the restore and not before the verdict."""
    seal = _dag(IN_PLACE).get_task("load.seal")
    assert (seal.is_teardown, seal.on_failure_fail_dagrun) == (True, True)
    assert seal.upstream_task_ids == {"load.restore", "load.snapshot"}


def test_the_way_back_has_its_order() -> None:
    """The damaged state is backed up before it is overwritten, and old snapshots go last."""
    dag = _dag({**IN_PLACE, "safety_snapshot": True, "retention": {"keep_last": 7}})
    assert {"safety"} <= _upstream(dag, "restore")
    assert _upstream(dag, "prune") == {"restore", "snapshot"}
    assert dag.get_task("load.prune").task_ids == ["load.snapshot", "load.safety"]
    assert not _dag({**IN_PLACE, "safety_snapshot": True, "mode": "report"}).has_task("load.safety")


def test_the_damaged_state_is_marked_and_named_as_such() -> None:
    """From the name and the mark alone everybody can tell it from a backup; the checkpoint's own is one."""
    dag = _dag({**IN_PLACE, "safety_snapshot": True})
    safety, snapshot = dag.get_task("load.safety"), dag.get_task("load.snapshot")
    assert (safety.keeps_damage, safety.snapshot_name.before) == (True, "damaged-")
    assert (snapshot.keeps_damage, snapshot.snapshot_name.before) == (False, "")


@pytest.mark.parametrize("given", [{}, {"retention": {"keep_last": 7}}])
@pytest.mark.parametrize("label", ["verdict", "restore", "seal"])
def test_what_is_cleared_alone_clears_nothing_else(given: dict[str, Any], label: str) -> None:
    """A verdict that is cleared is given once more, and does not overwrite the indices once more."""
    dag = _dag({**IN_PLACE, **given})
    assert dag.partial_subset([f"load.{label}"], include_downstream=False, include_upstream=False).task_ids == [
        f"load.{label}"
    ]
    with_work = dag.partial_subset(["load.last"], include_downstream=False, include_upstream=False).task_ids
    assert {"load.snapshot", "load.restore", "load.seal"} <= set(with_work)


def test_the_wired_dag_is_one_that_airflow_takes() -> None:
    """Airflow's own rules for setup and teardown hold."""
    dag = _dag(IN_PLACE)
    dag.validate_setup_teardown()
    assert dag.task_group.get_child_by_label("load").tooltip == "protected by a snapshot"


def test_both_snapshots_hold_what_is_looked_at_and_the_restore_takes_the_names() -> None:
    """What the work created shows only where both snapshots look; no more is overwritten for that."""
    dag = _dag({**IN_PLACE, "safety_snapshot": "logs-*"})
    indices = {label: dag.get_task(f"load.{label}").indices for label in ("snapshot", "safety", "restore")}
    assert indices == {"snapshot": ["orders", "logs-*"], "safety": ["orders", "logs-*"], "restore": ["orders"]}
    assert dag.get_task("load.restore").existing_indices == "replace"


def test_beside_the_names_are_new_and_nothing_is_replaced() -> None:
    """The default makes a new name of each, the same at every parse of the DAG."""
    restore = _dag({}).get_task("load.restore")
    assert (restore.rename_pattern, restore.existing_indices) == ("(.+)", "keep")
    assert repr(restore.rename_replacement) == "rolled-back-(derived from the run)-$1"
    own = _dag({"rename_pattern": "(orders)", "rename_replacement": "old-$1"}).get_task("load.restore")
    assert (own.rename_pattern, own.rename_replacement) == ("(orders)", "old-$1")


def test_each_parameter_reaches_its_tasks() -> None:
    """How to wait, to retry and where goes to snapshot and restore; what is not given stays as the DAG says."""
    given = {"css_conn_id": "other", "timeout": 60, "turn_timeout": 61, "poll_interval": 62, "deferrable": True}
    dag = _dag({**given, "retries": 5, "cluster_name": "n", "snapshot_name": "s", "on_existing": "new"})
    snapshot, restore = dag.get_task("load.snapshot"), dag.get_task("load.restore")
    for name, value in {**given, "retries": 5}.items():
        assert (getattr(snapshot, name), getattr(restore, name)) == (value, value)
    assert (snapshot.cluster_name, snapshot.snapshot_name, snapshot.on_existing) == ("n", "s", "new")
    assert _dag({"cluster_id": "c"}).get_task("load.snapshot").cluster_id == "c"
    assert _dag({}, default_args={"retries": 3}).get_task("load.restore").retries == 3


@pytest.mark.skipif(not AIRFLOW_V_3_1_PLUS, reason="a human can be asked from Airflow 3.1 on")
def test_a_human_is_asked_between_the_work_and_the_restore() -> None:
    """The question follows the work, precedes the restore, and does not lead out of the group."""
    from datetime import timedelta

    dag = _dag({**IN_PLACE, "mode": "confirm", "confirm_options": {"response_timeout": timedelta(hours=1)}})
    confirm = dag.get_task("load.confirm")
    assert _upstream(dag, "confirm") == {*WORK, "tidy", "snapshot"}
    assert "confirm" in _upstream(dag, "restore")
    assert confirm.is_teardown
    assert (confirm.options, confirm.defaults) == (["Roll back", "Leave it as it is"], ["Leave it as it is"])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"in_place": True, "indices": ["a"]}, "consent='overwrite'"),
        ({"in_place": True, "consent": "overwrite"}, "by its name"),
        ({**IN_PLACE, "indices": "orders-*"}, "by its name"),
        ({"consent": "overwrite"}, "goes with in_place=True only"),
        ({"mode": "ask"}, "rollback, report, confirm"),
        ({"safety_snapshot": True}, "goes with in_place=True only"),
        ({"rename_pattern": "a"}, "given together"),
        ({**IN_PLACE, "rename_pattern": "a", "rename_replacement": "b"}, "the indices keep their names"),
        ({"confirm_options": {}}, "goes with mode='confirm' only"),
        ({"retention": {"keep_last": 0}}, "at least one keep rule"),
        ({"retention": {"keep_lots": 1}}, "keep_lots"),
        ({"retention": "keep_last"}, "keep rules by their names"),
        ({"retention": 7}, r"retention 7 cannot be used.*\{'keep_last': 7\}"),
        ({**IN_PLACE, "in_place": "false"}, "True or False"),
        ({**IN_PLACE, "in_place": 1}, "True or False"),
        ({**IN_PLACE, "safety_snapshot": "no"}, "True or False"),
        ({**IN_PLACE, "safety_snapshot": ""}, "none of them is empty"),
        ({**IN_PLACE, "safety_snapshot": []}, "none of them is empty"),
        ({**IN_PLACE, "safety_snapshot": None}, "True or False"),
        ({**IN_PLACE, "safety_snapshot": 1}, "a list of texts"),
        ({**IN_PLACE, "indices": {"a", "b"}}, "a list of texts"),
        ({**IN_PLACE, "indices": iter(["a"])}, "a list of texts"),
        ({**IN_PLACE, "indices": ["orders,_all"]}, "by its name"),
        ({**IN_PLACE, "indices": ["+orders"]}, "by its name"),
        ({**IN_PLACE, "indices": [None]}, "none of them is empty"),
        ({"indices": iter(["a"])}, "a list of texts"),
        ({"indices": []}, "none of them is empty"),
        ({"indices": ["orders", " "]}, "none of them is empty"),
        ({"rename_pattern": "(", "rename_replacement": "a"}, "no regular expression"),
        ({"rename_pattern": "(.+)", "rename_replacement": "$2"}, "asks for \\$2"),
        ({"rename_pattern": "", "rename_replacement": ""}, "1 to 1,024 characters"),
    ],
)
def test_what_cannot_be_is_refused_when_the_dag_is_parsed(given: dict[str, Any], says: str) -> None:
    """Each mistake is refused with its rule by the call itself, before any task exists."""
    with pytest.raises(CssUsageError, match=says):
        css_checkpoint("load", **given)


@pytest.mark.skipif(not AIRFLOW_V_3_1_PLUS, reason="a human can be asked from Airflow 3.1 on")
@pytest.mark.parametrize("options", [[], {"multiple": True}, {"defaults": ["Roll back"]}, {"answer": "Roll back"}])
def test_a_question_that_answers_itself_is_refused(options: Any) -> None:
    """Only how long and whom to ask is the user's to say; two answers at once would be none."""
    with pytest.raises(CssUsageError, match="response_timeout, assigned_users, notifiers"):
        css_checkpoint("load", mode="confirm", confirm_options=options)


def test_names_that_a_task_gives_go_beside_only() -> None:
    """What is overwritten stands in the DAG; what is only restored beside may come from a task."""

    @task
    def names() -> list[str]:
        """Return them."""
        return ["orders"]

    with DAG("d", schedule=None) as dag:
        found: Any = names()
        with css_checkpoint("load", indices=found):
            Quick(task_id="first")
        with pytest.raises(CssUsageError, match="by its name"):
            css_checkpoint("other", **{**IN_PLACE, "indices": found})
    assert _upstream(dag, "snapshot") == {"names"}


def test_a_group_takes_nothing_after_it_is_closed() -> None:
    """A later task would stand in the group with no snapshot before it, and run on without a way back."""
    with DAG("d", schedule=None):
        with css_checkpoint("load") as protected:
            Quick(task_id="first")
        with pytest.raises(CssUsageError, match="is closed"), protected:
            Quick(task_id="late")
        with pytest.raises(CssUsageError, match="is closed"):
            Quick(task_id="later", task_group=protected)


def test_a_template_that_changed_overwrites_nothing_more() -> None:
    """The restore judges its own rendered names: the snapshot may hold more than they named before."""
    dag = _dag({**IN_PLACE, "safety_snapshot": "*"})
    restore = dag.get_task("load.restore")
    for rendered in ("*", ["orders", "-x"], "orders,_all"):
        restore.indices = rendered
        with pytest.raises(AirflowFailException, match="by its name"):
            restore._refuse_more_than_names()  # noqa: SLF001 - the rest needs a run


@pytest.mark.skipif(AIRFLOW_V_3_1_PLUS, reason="this Airflow can ask")
def test_nobody_can_be_asked_before_airflow_3_1() -> None:
    """The mode is refused where Airflow has nothing to ask with."""
    with pytest.raises(CssUsageError, match=r"from Airflow 3\.1 on"):
        css_checkpoint("load", mode="confirm")


def test_a_dag_that_fails_fast_is_refused() -> None:
    """Airflow would allow no verdict there."""
    with DAG("d", schedule=None, **FAIL_FAST), pytest.raises(CssUsageError, match="fails fast"), css_checkpoint("load"):
        Quick(task_id="first")


def test_a_checkpoint_without_work_is_refused() -> None:
    """Neither nothing nor a lone teardown task is work."""
    with DAG("d", schedule=None):
        with pytest.raises(CssUsageError, match="there is none"), css_checkpoint("empty"):
            pass
        with pytest.raises(CssUsageError, match="there is none"), css_checkpoint("tidies"):
            Quick(task_id="tidy").as_teardown()


def test_a_first_task_that_needs_no_snapshot_is_refused() -> None:
    """With another rule than all_success it could run after a failed snapshot; Airflow forbids it, too."""
    with (
        DAG("d", schedule=None),
        pytest.raises(CssUsageError, match="could run without a snapshot"),
        css_checkpoint("load"),
    ):
        Quick(task_id="first", trigger_rule="all_done")


def test_a_checkpoint_in_a_checkpoint_is_refused() -> None:
    """Two would roll the same work back."""
    with (
        DAG("d", schedule=None),
        pytest.raises(CssUsageError, match="another checkpoint inside"),
        css_checkpoint("outer"),
        css_checkpoint("inner"),
    ):
        Quick(task_id="first")


def test_an_error_of_the_dag_itself_comes_through() -> None:
    """What the DAG's author raises inside is not hidden behind a complaint about missing work."""
    with DAG("d", schedule=None), pytest.raises(KeyError), css_checkpoint("load"):
        raise KeyError("mine")


def test_every_parameter_is_tried_here() -> None:
    """No parameter of the public function is without a line in this file."""
    text = inspect.getsource(inspect.getmodule(test_every_parameter_is_tried_here))  # type: ignore[arg-type] # this file
    missing = [name for name in inspect.signature(css_checkpoint).parameters if name != "group_id" and name not in text]
    assert missing == []
