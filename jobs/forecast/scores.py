"""How good a forecast was."""

from collections.abc import Sequence


def mean_absolute_error(predicted: Sequence[float], actual: Sequence[float]) -> float:
    """Mean of the absolute differences, in the units of both. Raises ValueError for nothing or for unequal lengths."""
    if not actual or len(predicted) != len(actual):
        raise ValueError(f"{len(predicted)} predictions of {len(actual)} outcomes")
    return sum(abs(a - b) for a, b in zip(predicted, actual, strict=True)) / len(actual)


def area_under_curve(scores: Sequence[float], happened: Sequence[bool]) -> float:
    """The chance that of one that happened and one that did not, the first had the higher score; ties count half.

    By ranks (Mann and Whitney, 1947). Raises ValueError where only one of the two is there.
    """
    order = sorted(range(len(scores)), key=scores.__getitem__)
    positives = sum(happened)
    negatives = len(happened) - positives
    if not positives or not negatives:
        raise ValueError("all outcomes are the same")
    ranks = 0.0
    place = 0
    while place < len(order):
        end = place
        while end < len(order) and scores[order[end]] == scores[order[place]]:
            end += 1
        middle = (place + end + 1) / 2
        ranks += middle * sum(happened[order[number]] for number in range(place, end))
        place = end
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)
