"""How the figures of an actor are printed."""


def format_figure(value: float) -> str:
    """A figure with four digits; whole numbers, which are counts, with all of theirs."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.4g}"
