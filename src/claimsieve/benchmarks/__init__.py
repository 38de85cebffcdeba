"""How quick is inference here? Ratios within one run, the sides taking turns."""
