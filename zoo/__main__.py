"""`python -m zoo` is the program `molzoo`."""

from zoo.commands.main import main

if __name__ == "__main__":
    main()
