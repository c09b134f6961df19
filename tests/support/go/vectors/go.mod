module vectors

// As step v0.30: it decides what crypto/x509 is lenient about.
go 1.25
