"""How would this photo look had they painted it: style transfer, slow and fast."""

from atelier.environment import no_retracing_warnings

no_retracing_warnings()
