"""The subjects of a schema registry: TopicRecordNameStrategy."""

from avro import contracts
from topics import catalogue, subjects


def test_a_subject_is_topic_and_full_record_name() -> None:
    found = subjects(catalogue("eu."))
    assert found["InvoiceIssued"] == ("eu.ar.events-arrears.events.InvoiceIssued",)
    assert found["ExchangeRateSet"] == ("eu.ar.reference-arrears.events.ExchangeRateSet",)
    assert found["LedgerEntry"] == ("eu.ar.ledger-arrears.records.LedgerEntry",)


def test_a_record_of_several_topics_has_a_subject_for_each() -> None:
    assert len(subjects(catalogue())["Alert"]) == 4


def test_every_record_has_a_subject() -> None:
    assert set(subjects(catalogue())) == set(contracts().names)
