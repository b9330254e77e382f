"""Documentation is executed: its examples run, its links resolve, its generated parts are current."""
