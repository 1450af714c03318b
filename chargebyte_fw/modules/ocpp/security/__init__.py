"""Security: certificates, signing requests and security events (functional blocks A and M; security whitepaper of 1.6).

Keys and certificates are kept by the module that provides `evse_security`.
"""
