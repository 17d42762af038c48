"""`python -m ppl_mle`: the command line."""

from ppl_mle.cli import main

if __name__ == "__main__":
    main()
