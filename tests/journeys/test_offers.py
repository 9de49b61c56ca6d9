"""Keys and offers: which key means what, for what is selected, and why it can't be used."""

from journey_scene import ALERTS, Scene, fleet, plugin

from mleconsole.api import Danger, Situation, Subject
from mleconsole.app.frame import alert_counts, key_line, login_words
from mleconsole.app.keys import KeyTable, harmless_key
from mleconsole.app.offers import READ_ONLY, offers, related
from mleconsole.app.trail import Place, Trail
from mleconsole.collect.status import Status
from mleconsole.plugin import Registry

REGISTRY = Registry((plugin(),))
ALICE = Situation(user="alice")


def by_id(*selected: Subject, situation: Situation = ALICE):
    return {offer.id: offer for offer in offers(REGISTRY, fleet(), selected, situation)}


def test_a_gpu_also_stands_for_its_job_and_its_node():
    found = related(REGISTRY, fleet(), Subject("gpu", ("node03", "3")))
    assert found[0] == Subject("gpu", ("node03", "3"))
    assert Subject("job", ("48213",)) in found and Subject("node", ("node03",)) in found
    assert by_id(Subject("gpu", ("node03", "3")))["job.cancel"].subjects == (Subject("job", ("48213",)),)


def test_an_absent_job_is_no_job():
    assert all(subject.kind != "job" for subject in related(REGISTRY, fleet(), Subject("gpu", ("node08", "0"))))


def test_marks_of_one_job_become_one_target():
    gpus = [Subject("gpu", ("node01", str(i))) for i in range(3)]
    assert by_id(*gpus)["job.cancel"].subjects == (Subject("job", ("48213",)),)


def test_reasons_come_from_the_guard_from_read_only_and_from_the_selection():
    bobs = by_id(Subject("job", ("48401",)))
    assert bobs["job.cancel"].reason == "job 48401 belongs to bob"
    looking = by_id(Subject("job", ("48213",)), situation=Situation(user="alice", read_only=True))
    assert looking["job.cancel"].reason == READ_ONLY and looking["triage"].reason is None
    assert "select one first" in str(by_id()["job.cancel"].reason)


def test_a_lower_case_letter_never_destroys():
    table = KeyTable().now((), None, list(by_id(Subject("job", ("48213",))).values()))
    assert table["X"].id == "job.cancel" and "d" not in table
    assert not harmless_key("x", Danger.DESTROYS) and harmless_key("ctrl+x", Danger.DESTROYS)


def test_keys_are_rebound_by_config_and_the_old_key_is_free():
    table = KeyTable({"job.cancel": "K", "filter": "f", "gpus": "F"}).now(
        tuple(REGISTRY.panes.values()), None, list(by_id(Subject("job", ("48213",))).values())
    )
    assert table["K"].id == "job.cancel" and "X" not in table
    assert table["f"].id == "filter" and "/" not in table
    assert table["F"].id == "gpus" and "2" not in table


def test_the_bottom_line_has_five_keys_and_more():
    table = KeyTable().now(
        tuple(REGISTRY.panes.values()), REGISTRY.panes["gpus"], list(by_id(Subject("gpu", ("node03", "3"))).values())
    )
    line = key_line(table, detail=False, subject=True)
    assert len(line) == 6 and line[-1].text == "more" and line[0].text == "open"


def test_alerts_are_counted_at_the_pane_of_their_kind():
    counts = alert_counts(REGISTRY, ALERTS)
    assert counts["gpus"][0] == 1 and "jobs" not in counts


def test_the_login_is_told_in_one_sentence():
    lost = Status("alice@login", "lost", "connection reset", since=88.0)
    assert login_words(lost, 100.0) == "login lost 12s ago: connection reset; retrying"
    never = login_words(lost, 100.0, reached=False)
    assert never == "alice@login is not reached: connection reset; retrying"
    assert login_words(lost, None) == "login lost: connection reset; retrying"
    assert "press r" in login_words(Status("alice@login", "signed_out"), 100.0)
    assert login_words(Scene().status, 100.0) == ""


def test_the_trail_keeps_each_panes_details():
    trail, job = Trail("jobs"), Subject("job", ("1",))
    trail.open("job", job)
    trail.open("job", job)
    assert trail.places == (Place("jobs"), Place("job", job))
    assert trail.go("gpus") == () and trail.here == Place("gpus")
    assert trail.go("jobs") == () and trail.here == Place("job", job)
    assert trail.go("jobs") == (Place("job", job),) and trail.here == Place("jobs")
    assert trail.back() is None
