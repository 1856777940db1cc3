"""SailPoint's standard connector commands on AWS IAM Identity Center."""

__version__ = "0.1.0"
