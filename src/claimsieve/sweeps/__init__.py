"""Values of a config tried one after another, to find those that do best on valid."""
