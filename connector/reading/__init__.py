"""Reading Identity Center: how to ask (walk), asking (census, live), and what the facts add up to (views)."""
