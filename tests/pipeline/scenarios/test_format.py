"""A malformed scenario is refused with one line that names the file, the line and the step (SCENARIOS §2)."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.check import app
from pipeline.scenarios import ScenarioError, load, run
from pipeline.scenarios.format import ClockStep, EventStep, ExpectStep, find, instant

INVOICE = "{at: 2026-03-01T09:00:00Z, event: InvoiceIssued, account_id: C1, invoice_id: I1, amount: '1', currency: EUR, document_date: 2026-03-01}"  # noqa: E501


def written(folder: Path, text: str) -> Path:
    path = folder / "case.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n", ": a scenario is a mapping with name, company, steps and expect"),
        ("", ": a scenario is a mapping with name, company, steps and expect"),
        ("name: x\n", ": the scenario has neither steps nor expectations"),
        ("name: x\nstep: []\n", ":2: unknown key 'step'; known are name, rules, description, company, steps, expect"),
        ("name: x\nsteps: {at: 1}\n", ":2: steps must be a list"),
        ("name: x\nname: y\n", ":2: the key 'name' stands there twice"),
        ("name: x\nsteps:\n  - {a: 1, b: 2, a: 3}\n", ":3: the key 'a' stands there twice"),
        ("name: [x\n", ":2: cannot be read as YAML: expected ',' or ']', but got '<stream end>'"),
        ("name: x\n\tsteps: []\n", ":2: cannot be read as YAML: found character '\\t' that cannot start any token"),
        ("steps:\n  - 7\n", ":2: step 1: a step is a mapping: an event with `at`, or `clock`, or `expect`"),
        (
            "steps:\n  - {clock: 2026-03-01T09:00:00Z}\n  - {event: InvoiceIssued}\n",
            ":3: step 2: it has no `at`; a step is an event with `at`, or `clock`, or `expect`",
        ),
        (
            "steps:\n  - {at: 2026-03-01T09:00:00Z, evnt: InvoiceIssued}\n",
            ":2: step 1: it has no `event`; a step is an event with `at`, or `clock`, or `expect`",
        ),
        ("steps:\n  - {clock: 2026-03-01}\n", ":2: step 1: 2026-03-01 is not a timestamp like 2026-03-01T09:00:00Z"),
        ("steps:\n  - {clock: noon}\n", ":2: step 1: Invalid isoformat string: 'noon'"),
        (
            "steps:\n  - {clock: 2026-03-01T09:00:00Z, expect: []}\n",
            ":2: step 1: `expect` stands alone in its step, not beside 'clock'",
        ),
        ("steps:\n  - expect: {a: 1}\n", ":2: step 1: expectations are a list: one entry for each, begun with a dash"),
        (
            "steps:\n  - expect:\n    - I1\n",
            ":2: step 1: an expectation is a mapping like {invoice: I1, open: \"10.00\"}, not 'I1'",
        ),
        (
            "name: x\nexpect:\n  - 3\n",
            ':3: expect: an expectation is a mapping like {invoice: I1, open: "10.00"}, not 3',
        ),
        (
            "company: {code: FR01, timezone: Europe/Pari}\nexpect: [{alerts: []}]\n",
            ":1: company FR01: timezone 'Europe/Pari' is not an IANA time zone, e.g. Europe/Paris",
        ),
        (
            "company:\n  - {code: A}\n  - {code: B, bucket: [30]}\nexpect: [{alerts: []}]\n",
            ":3: company B: there is no key 'bucket'; did you mean buckets?",
        ),
        (
            "company: [{code: A}, {code: A}]\nexpect: [{alerts: []}]\n",
            ":1: company: every company needs a code of its own, got ['A', 'A']",
        ),
        (
            "company: FR01\nexpect: [{alerts: []}]\n",
            ":1: company: 'FR01' is not a mapping of settings, like {code: FR01}",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ScenarioError) as refused:
        load(path)
    assert str(refused.value) == f"{path}{message}"
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "0 passed, 1 failed"
    assert message in result.output


def test_steps_are_numbered_and_know_their_lines(tmp_path: Path) -> None:
    text = f"""# a comment
name: x
steps:
  - {INVOICE}
  # another
  - {{clock: 2026-03-02T09:00:00+01:00}}
  - expect:
      - {{alerts: []}}

      - {{rejected: []}}
expect:
  - {{worklist: [C1]}}
"""
    scenario = load(written(tmp_path, text))
    event, clock, within, final = scenario.steps
    assert isinstance(event, EventStep)
    assert (event.number, event.line) == (1, 4)
    assert clock == ClockStep(2, instant("2026-03-02T08:00:00Z"))
    assert isinstance(within, ExpectStep)
    assert (within.number, within.lines) == (3, (8, 10))
    assert isinstance(final, ExpectStep)
    assert (final.number, final.lines) == (4, (12,))
    assert [company.code for company in scenario.companies] == ["C1"]
    assert run(scenario) == []


def test_a_path_that_is_not_there_fails(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such file or folder"):
        find([tmp_path / "missing"])
    result = CliRunner().invoke(app, [str(tmp_path / "missing")])
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "0 passed, 0 failed"


def test_an_empty_folder_is_no_success(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, [str(tmp_path)]).exit_code == 1


def test_an_event_that_cannot_be_read_fails_with_its_line(tmp_path: Path) -> None:
    text = f"steps:\n  - {INVOICE.replace('account_id', 'acount_id')}\n"
    result = CliRunner().invoke(app, [str(written(tmp_path, text))])
    assert result.exit_code == 1
    assert "line 2, step 1: event InvoiceIssued" in result.output
    assert "acount_id: InvoiceIssued has no such field; did you mean account_id?" in result.output
