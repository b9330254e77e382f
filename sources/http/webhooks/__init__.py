"""What payment providers send: their signatures checked, their events mapped."""
