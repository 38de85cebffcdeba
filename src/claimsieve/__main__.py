"""python -m claimsieve"""

from claimsieve.cli import main

if __name__ == "__main__":
    main()
