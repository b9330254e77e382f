"""Prints interchanges around the segments of sets, with control numbers and counts that agree."""

from collections.abc import Sequence

GROUPS = {"810": "IN", "820": "RA", "823": "LB"}


def interchange(
    kind: str,
    *sets: Sequence[str],
    element: str = "*",
    end: str = "~\n",
    version: str = "004010",
    control: int = 905,
) -> bytes:
    """One interchange with one group of sets; a set is given by its segments between ST and SE, with `*` and no end."""
    isa = "*".join(
        ("ISA", "00", " " * 10, "00", " " * 10, "ZZ", "BUYERCO        ", "ZZ", "SELLERCO       ", "260918", "1200", "U")
    )
    lines = [
        f"{isa}*{version[:5]}*{control:09}*0*P*>",
        f"GS*{GROUPS[kind]}*BUYERCO*SELLERCO*20260918*1200*7*X*{version}",
    ]
    for number, segments in enumerate(sets, start=1):
        lines += [f"ST*{kind}*{number:04}", *segments, f"SE*{len(segments) + 2}*{number:04}"]
    lines += [f"GE*{len(sets)}*7", f"IEA*1*{control:09}"]
    return "".join(line.replace("*", element) + end for line in lines).encode()
