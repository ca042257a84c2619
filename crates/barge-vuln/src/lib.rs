//! What is known to be wrong with it: advisories, version orders, matching, severity, policy.
