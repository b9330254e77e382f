"""How long what is kept: rules by class of company, legal holds, deletion, and erasure of personal data."""
