"""`python -m vidgen_nb` and `vidgen-nb`: the command line."""

from vidgen_nb.cli import main

if __name__ == "__main__":
    main()
