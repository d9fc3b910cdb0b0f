"""Who painted this, in which style: networks, recipes, training and judging."""

from atelier.environment import no_retracing_warnings

no_retracing_warnings()
