"""Rows of budget windows, reservations, alerts and reports."""
