"""Allure's results and configuration, written from a stored run."""
