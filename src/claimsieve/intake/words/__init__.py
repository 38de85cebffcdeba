"""Word lists of the intake, English only."""
