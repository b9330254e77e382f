"""How many examples a law is tried on: few and always the same in CI, more by `ARREARS_TEST_EXAMPLES_FACTOR`."""

import os

from hypothesis import HealthCheck, Phase, settings

_FACTOR = int(os.environ.get("ARREARS_TEST_EXAMPLES_FACTOR", "1"))


def examples(count: int) -> settings:
    """Settings for a law: `count` examples, derandomized; with a factor above 1 that many times more, at random."""
    return settings(
        max_examples=count * _FACTOR,
        derandomize=_FACTOR == 1,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
