"""Names and numbers of parties (N1 loops), and whose customer account they are."""

import msgspec

from sources.x12.segments import Segment

_ASSIGNED_BY_SELLER = "91"
_KEPT_MAX = 50  # parties of a set and numbers of a party; real ones have a handful


class Party(msgspec.Struct):
    """A party of an N1 loop: its role (data element 98: PR payer, PE payee, BT bill-to), name and numbers."""

    role: str
    name: str
    qualifier: str
    number: str
    numbers: list[str]

    @property
    def number_of_ours(self) -> str | None:
        """Its number, where we have given it: the qualifier 91, assigned by the seller (data element 66)."""
        return self.number or None if self.qualifier == _ASSIGNED_BY_SELLER else None


class Parties:
    """The parties of a set, by role; of several in one role the first counts."""

    def __init__(self) -> None:
        self._by_role: dict[str, Party] = {}
        self._open: Party | None = None

    def take(self, segment: Segment) -> bool:
        """Take a segment of an N1 loop; False for one that is none, with which the loop has ended."""
        match segment.name:
            case "N1":
                self._open = Party(segment[1], segment[2], segment[3], segment[4], [])
                if len(self._by_role) < _KEPT_MAX:
                    self._by_role.setdefault(segment[1], self._open)
            case "REF" if self._open is not None:
                if len(self._open.numbers) < _KEPT_MAX:
                    self._open.numbers.append(segment[2])
            case "N2" | "N3" | "N4" | "PER" | "RDM" if self._open is not None:
                pass
            case _:
                self._open = None
                return False
        return True

    def first(self, *roles: str) -> Party | None:
        """The party in the first of these roles that there is."""
        return next((self._by_role[role] for role in roles if role in self._by_role), None)

    def any(self) -> Party | None:
        """The first party, whatever its role."""
        return next(iter(self._by_role.values()), None)
