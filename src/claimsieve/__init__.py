"""Sort claims into verified, unverified and propaganda, given the evidence they came with."""

__version__ = "0.1.0"
