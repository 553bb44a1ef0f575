"""How a model is made and judged: corpus, recipe, fitting, metrics, reports."""
