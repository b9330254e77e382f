"""``python -m pipeline.cli``: the same as ``arrears``, for programs that start it as a child."""

from pipeline.cli import main

main()
