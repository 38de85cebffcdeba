"""Pictures: fingerprints of known ones, and whether a claim's pictures are among them and how old those are."""
