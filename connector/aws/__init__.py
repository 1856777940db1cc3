"""AWS for one source: everything that speaks to Identity Center, Organizations, STS and its SCIM endpoint.

boto3, botocore and requests live here and nowhere else. In come our nouns and ids, out go our nouns and errors;
no boto dict, no boto exception and no ARN that can be rebuilt leaves this room.
"""

from connector.aws.directory import Directories, Directory

__all__ = ["Directories", "Directory"]
