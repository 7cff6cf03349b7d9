"""`python -m migrate`: the same as `rsst-migrate`."""

from migrate.cli.app import main

if __name__ == "__main__":
    main()
