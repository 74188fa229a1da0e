"""Medians, quartiles and ratios of the same run, as a table that can be pasted into bench/results."""

import statistics


def quartiles(values):
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def number(value):
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def spread(values):
    low, middle, high = quartiles(values)
    return number(middle) if len(values) == 1 else f"{number(middle)} [{number(low)}–{number(high)}]"


def ratios(ours, theirs):
    """Of each round by itself, so that what slowed a whole round slows both."""
    return [a / b for a, b in zip(ours, theirs) if b]


def verdict(metric, ours, ratio_values):
    """Against the budget (DESIGN §3), if there is one: a ratio, or an absolute number."""
    if metric.budget is None:
        return ""
    if metric.budget_is_absolute:
        return f"{'within' if statistics.median(ours) <= metric.budget else 'OVER'} {number(metric.budget)}"
    if not ratio_values:
        return ""
    return f"{'within' if statistics.median(ratio_values) <= metric.budget else 'OVER'} {metric.budget}×"


def row(metric, ours, theirs):
    if not ours or not theirs:
        return f"| {metric.title} | {metric.unit} | {spread(ours) if ours else '–'} | {spread(theirs) if theirs else '–'} | – | |"
    of_rounds = ratios(ours, theirs)
    return (f"| {metric.title} | {metric.unit} | {spread(ours)} | {spread(theirs)} | "
            f"{spread(of_rounds) if of_rounds else '–'} | {verdict(metric, ours, of_rounds)} |")


def table_head(ours, theirs):
    return f"| measured | unit | {ours} | {theirs} | ratio | budget |\n|---|---|---|---|---|---|"
