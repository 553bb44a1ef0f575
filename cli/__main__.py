"""`python -m whosays.cli`: the command line without its script on the path."""

from .app import main

main()
