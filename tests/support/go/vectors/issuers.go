package main

import (
	"time"
)

func (v *vectors) addIssuers() {
	type issuer struct {
		name, key, signer, algorithm string
		subject                      []byte
		identifier                   string
	}
	key := func(name string) string {
		public := v.keys["issuer "+name].Public()
		return string(ski(public).value)
	}
	for _, i := range []issuer{
		{name: "EC P-256", key: "P-256", signer: "P-256", algorithm: "ECDSA-SHA256"},
		{name: "EC P-384 signed by P-256", key: "P-384", signer: "P-256", algorithm: "ECDSA-SHA256"},
		{name: "EC P-521", key: "P-521", signer: "P-521", algorithm: "ECDSA-SHA512"},
		{name: "Ed25519", key: "Ed25519", signer: "Ed25519", algorithm: "Ed25519"},
		{name: "RSA signed SHA256-RSA", key: "RSA-2048", signer: "RSA-2048", algorithm: "SHA256-RSA"},
		{name: "RSA signed SHA384-RSA", key: "RSA-2048", signer: "RSA-2048", algorithm: "SHA384-RSA"},
		{name: "RSA signed SHA512-RSA", key: "RSA-2048", signer: "RSA-2048", algorithm: "SHA512-RSA"},
		{name: "RSA signed SHA256-PSS", key: "RSA-2048", signer: "RSA-2048", algorithm: "SHA256-PSS"},
		{name: "RSA signed SHA384-PSS", key: "RSA-2048", signer: "RSA-2048", algorithm: "SHA384-PSS"},
		{name: "RSA signed SHA512-PSS", key: "RSA-2048", signer: "RSA-2048", algorithm: "SHA512-PSS"},
		{name: "RSA signed with a PSS salt of 20", key: "RSA-2048", signer: "RSA-2048", algorithm: "SHA256-PSS-20"},
		{name: "RSA signed by an EC root", key: "RSA-2048", signer: "P-256", algorithm: "ECDSA-SHA256"},
		{name: "RSA signed by an Ed25519 root", key: "RSA-2048", signer: "Ed25519", algorithm: "Ed25519"},
		{name: "RSA signed SHA1-RSA", key: "RSA-2048", signer: "RSA-2048", algorithm: "SHA1-RSA"},
		{name: "without a key identifier", key: "P-256", signer: "P-256", algorithm: "ECDSA-SHA256", identifier: "none"},
		{name: "with a key identifier of 8 octets", key: "P-256", signer: "P-256", algorithm: "ECDSA-SHA256", identifier: tlv(4, "12345678")},
		{name: "with an empty key identifier", key: "P-256", signer: "P-256", algorithm: "ECDSA-SHA256", identifier: tlv(4)},
		{name: "with a name of mixed strings", key: "P-256", signer: "P-256", algorithm: "ECDSA-SHA256", subject: mixedName()},
	} {
		if i.subject == nil {
			i.subject = issuerName
		}
		extensions := []extension{critical(oidKeyUsage, certSign), basic(yes, tlv(2, "\x00"))}
		if i.identifier == "" {
			i.identifier = key(i.key)
		}
		if i.identifier != "none" {
			extensions = append(extensions, ext(oidSKI, i.identifier))
		}
		v.put("issuer "+i.name, certificate{
			issuer: name("CN", "Test Root CA"), subject: i.subject, extensions: extensions,
			key:       v.keys["issuer "+i.key].Public(),
			notBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
			notAfter:  time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
			signer:    v.keys["issuer "+i.signer], algorithm: i.algorithm,
		})
		v.add(row{Name: "issuer " + i.name, Issuer: "issuer " + i.name, IssuerKey: "issuer " + i.key})
	}
	v.add(row{Name: "a key that is not the issuer's", Issuer: "issuer EC P-256", IssuerKey: "issuer Ed25519"})
}
