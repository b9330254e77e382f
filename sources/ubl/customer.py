"""Who owes a UBL document, and whose account that is."""

from sources.bank.payers import Payers
from sources.xml import Element, child, children, text


def account_of(document: Element, payers: Payers) -> str | None:
    """The account that the table has for the customer; without an entry the first of what names it, in this order.

    Our own number for the customer, its identifications, its electronic address, its registration, its tax number, its
    name.
    """
    customer = child(document, "AccountingCustomerParty")
    party = child(customer, "Party")
    said = [
        text(customer, "SupplierAssignedAccountID"),
        *(text(each, "ID") for each in children(party, "PartyIdentification")),
        text(party, "EndpointID"),
        *(text(each, "CompanyID") for each in children(party, "PartyLegalEntity")),
        *(text(each, "CompanyID") for each in children(party, "PartyTaxScheme")),
        *(text(each, "RegistrationName") for each in children(party, "PartyLegalEntity")),
        *(text(each, "Name") for each in children(party, "PartyName")),
        text(customer, "CustomerAssignedAccountID"),
    ]
    return payers.account_of(said) or next(filter(None, said), None)
