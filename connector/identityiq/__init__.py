"""What registers this service with SailPoint: IdentityIQ's Application, its tasks, and the same source for ISC.

From a `Source`, its public address and the attribute table to text, purely: nothing is read from AWS, from the
environment or from a file here, and no secret ever stands in what is made. One table, `endpoints`, says what
IdentityIQ calls; `schemas` what it sees; `application` how it is set up; `xmldocuments` and `twin` write that down.

Grades of the facts behind it (vendor page, real export, measured, inferred) are in `docs/identityiq.md`.
"""
