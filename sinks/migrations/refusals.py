"""Which events count: those that were taken in the end (docs/adr/0062).

A refusal is of one record: the event that it held may come again, under the same id, and be accepted, and then it counts
as what it was the time it was accepted. Only a late refusal, of an event that had been taken and waited for something, is
of the event for good. A remittance advice of which a line was refused was taken, and so was a credit memo that is in
another currency than the invoice it waited for.
"""

# Of these only a part is ever refused late: a line of the advice, what the credit does to the invoice that it names.
_WHOLE = "event_type NOT IN ('RemittanceReceived', 'CreditMemoIssued')"
_POSITION = "company, event_id, _topic, _partition, _offset"


def taken(known: str = "1") -> str:
    """A condition on rows of `events`: the record was not refused, nor the event later; `known` is a condition on when."""
    return f"""({_POSITION}) NOT IN (
            SELECT company, event_id, topic, partition, offset FROM rejected_events WHERE NOT late
        )
        AND (company, event_id) NOT IN (
            SELECT company, event_id FROM rejected_events WHERE late AND {_WHOLE} AND {known}
        )"""
