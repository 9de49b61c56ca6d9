"""python -m mleconsole: the same as the command mleconsole."""

import sys

from mleconsole.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
