"""What is contested of documents, and when (SEMANTICS 2.7)."""

from jobs import events
from jobs.money import rescale
from jobs.values import Day, Instant
from tests.property.oracle.dated import Change, Contest, Paper


class Contests:
    """Documents and their disputes."""

    def __init__(self) -> None:
        self.known = Instant(0)
        self.event_id = ""
        self.papers: dict[tuple[str, str, str], Paper] = {}
        self.contests: dict[tuple[str, str], Contest] = {}

    def changed(self, day: Day, amount: int, kind: str, cause: str = "", value_date: Day | None = None) -> Change:
        """A change by the event in hand."""
        return Change(day, amount, kind, cause, value_date, self.event_id, self.known)

    def find(self, company: str, account: str | None, number: str) -> Paper | None:
        """The invoice, else the account's only other document of that number (SEMANTICS 1.7)."""
        kinds = ("invoice", "debit_memo", "credit_memo")
        found = [self.papers.get((company, kind, number)) for kind in kinds]
        own = [paper for paper in found if paper is not None and paper.account == account]
        if own and own[0].kind == "invoice":
            return own[0]
        return own[0] if len(own) == 1 else None

    def dispute(self, event: events.DisputeOpened, day: Day) -> bool:
        at = event.company, event.dispute_id
        known = self.contests.get(at)
        paper = self.find(event.company, event.account_id, event.invoice_id)
        amount = None if paper is None else rescale(event.amount_minor, event.amount_scale, paper.currency)
        if (known is not None and known.outcome is None) or paper is None or amount is None:
            return False
        if paper.cancelled or amount <= 0:
            return False
        if known is None:
            known = self.contests[at] = Contest(event.company, event.dispute_id, paper, amount, day)
        elif known.paper is not paper:
            known.change(max(day, known.opened_on), -known.outstanding)
            known.paper = paper
        known.change(day, amount - known.outstanding)
        known.amount, known.opened_on, known.outcome, known.credited = amount, day, None, 0
        return True

    def decide(self, event: events.DisputeResolved, day: Day) -> bool:
        """Collectible at once; what is upheld stays contested until its credit memo, which may be there already."""
        known = self.contests.get((event.company, event.dispute_id))
        if known is None or known.outcome is not None or known.paper.account != event.account_id:
            return False
        released = known.outstanding
        if event.outcome == "upheld":
            released = min(released, known.credited)
        known.outcome = event.outcome
        known.change(max(day, known.opened_on), -released)
        return True

    def _of(self, paper: Paper) -> list[Contest]:
        of = [contest for contest in self.contests.values() if contest.paper is paper]
        return sorted(of, key=lambda contest: contest.dispute_id)

    def credited(self, paper: Paper, amount: int, day: Day) -> None:
        """A credit ends what was upheld, in order of id; the rest is remembered for what is not decided."""
        for contest in self._of(paper):
            if contest.outcome == "upheld":
                settled = min(amount, contest.outstanding)
                contest.change(max(day, contest.opened_on), -settled)
                amount -= settled
        for contest in self._of(paper):
            if contest.outcome is None:
                noted = min(amount, contest.outstanding - contest.credited)
                contest.credited += noted
                amount -= noted

    def credit_gone(self, paper: Paper, amount: int, day: Day) -> None:
        """The credit was taken back: what it had ended last is contested again."""
        for contest in reversed(self._of(paper)):
            if contest.outcome is None:
                back = min(amount, contest.credited)
                contest.credited -= back
            elif contest.outcome == "upheld":
                back = min(amount, contest.amount - contest.outstanding)
                contest.change(max(day, contest.opened_on), back)
            else:
                continue
            amount -= back

    def contested(self, paper: Paper, day: Day | None = None) -> int:
        """What is contested of a document, on a day or by everything recorded."""
        return sum(
            amount
            for contest in self.contests.values()
            for of, since, amount in contest.changes
            if of is paper and (day is None or since <= day)
        )
