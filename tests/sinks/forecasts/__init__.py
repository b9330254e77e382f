"""The command `forecast` on the sample company's rows."""
