"""An emulated AWS for demonstrations and tests: IAM Identity Center, Organizations and STS over HTTP.

Data comes from a seeded organisation and from the calls of any AWS SDK. Nothing here is ever imported by the service,
and nothing here imports the rest of the connector: an emulation that shared code with what it tests would share its
errors.
"""
