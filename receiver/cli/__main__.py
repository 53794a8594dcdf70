"""`python -m receiver.cli` is `hookyard`: for child processes, which must not depend on PATH."""

from receiver.cli.main import main

if __name__ == "__main__":
    main()
