"""Departures from the recipe and the rules: opened by people and, by themselves, by the rooms that notice them."""
