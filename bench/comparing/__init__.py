"""What bench/compare is made of: machine (processes and what they cost), contestants (the proxies), load (clients),
cases (one question each) and report (medians and ratios)."""
