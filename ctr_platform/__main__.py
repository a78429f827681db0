"""`python -m ctr_platform` is `ctr`."""

from ctr_platform.cli.app import main

main()
