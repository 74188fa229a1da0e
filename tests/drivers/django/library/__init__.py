"""The Django application that run.py migrates and uses."""
