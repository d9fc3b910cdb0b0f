"""Who painted this, in which style: networks, recipes, training and judging."""
