"""Control numbers and counts: what a trailer says must be so."""

import pytest

from tests.sources.x12.interchange import interchange
from tests.sources.x12.reading import events, read, reject

ADVICE = ["BPR*I*10*C*ACH************20260918", "TRN*1*T1", "ENT*1", "RMR*IV*I1**10"]
FILE = interchange("820", ADVICE, ["BPR*I*5*C*ACH", "TRN*1*T2", "RMR*IV*I2**5"])


def test_the_file_itself_is_taken() -> None:
    assert [event["payer_reference"] for event in events(FILE, "x12-820")] == ["T1", "T2"]


@pytest.mark.parametrize(
    ("said", "changed", "reason"),
    [
        (b"SE*6*0001", b"SE*5*0001", "control_total_mismatch"),
        (b"SE*6*0001", b"SE*6*0002", "control_total_mismatch"),
        (b"SE*6*0001", b"SE**0001", "control_total_mismatch"),
        (b"GE*2*7", b"GE*3*7", "control_total_mismatch"),
        (b"GE*2*7", b"GE*2*8", "control_total_mismatch"),
        (b"IEA*1*", b"IEA*2*", "control_total_mismatch"),
        (b"IEA*1*000000905", b"IEA*1*000000906", "control_total_mismatch"),
        (b"SE*6*0001~\n", b"", "truncated_file"),
        (b"GE*2*7~\n", b"", "truncated_file"),
        (b"IEA*1*000000905~\n", b"", "truncated_file"),
        (b"ST*820*0001~\n", b"", "malformed_file"),
        (b"GS*RA*BUYERCO*SELLERCO*20260918*1200*7*X*004010~\n", b"", "malformed_file"),
        (b"RMR*IV*I1**10~\n", b"", "control_total_mismatch"),
        (b"RMR*IV*I1**10~\n", b"RMR*IV*I1**1,0~\n", "malformed_file"),
        (b"GE*2*7~\n", b"GE*2*7~\nRMR*IV*I1**10~\n", "malformed_file"),
    ],
)
def test_a_disagreement_refuses_the_file_whole(said: bytes, changed: bytes, reason: str) -> None:
    assert said in FILE
    assert reject(FILE.replace(said, changed), "x12-820").reason == reason


def test_control_numbers_compare_as_numbers() -> None:
    assert len(events(FILE.replace(b"SE*6*0001", b"SE*6*1"), "x12-820")) == 2


def test_another_set_is_named_with_the_format_that_reads_it() -> None:
    message = reject(FILE, "x12-810").message
    assert message == (
        "the file is refused: it has sets 820 (payment order/remittance advice), and none of the kind 810 (invoice); "
        "use --as x12-820"
    )
    said = reject(FILE.replace(b"ST*820", b"ST*997"), "x12-820").message
    assert "it has sets 997 (acknowledgement), and none of the kind 820" in said
    assert said.endswith("; nothing here reads them")


def test_other_sets_among_ours_are_passed_over_and_counted() -> None:
    values = read(FILE.replace(b"ST*820*0001", b"ST*824*0001"), "x12-820")
    assert [getattr(value, "reason", "event") for value in values] == ["transaction_set_824", "event"]


def test_a_file_without_sets_is_refused() -> None:
    assert reject(b"", "x12-820").reason == "malformed_file"
    assert reject(b"\n\n", "x12-820").message.endswith("it has no transaction set")


def test_groups_and_interchanges_follow_one_another() -> None:
    assert len(events(FILE + interchange("820", ["BPR*I*1*C*ACH", "RMR*IV*I9**1"], control=906), "x12-820")) == 3


def test_a_file_from_the_set_on_is_taken_where_it_has_its_own_date() -> None:
    data = b"ST*820*0001~BPR*I*10*C*ACH************20260918~RMR*IV*I1**10~SE*4*0001~"
    assert events(data, "x12-820")[0]["occurred_at"] == "2026-09-18T12:00:00Z"
    assert reject(data.replace(b"20260918", b""), "x12-820").reason == "missing_date"
