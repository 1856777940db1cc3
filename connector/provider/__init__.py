"""The customer's identity provider: its keys, and what its tokens prove. joserfc lives only here."""
