package main

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"strings"
)

var (
	oidSKI           = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidKeyUsage      = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidSAN           = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasic         = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidNames         = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidCRL           = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidPolicies      = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidMappings      = asn1.ObjectIdentifier{2, 5, 29, 33}
	oidAKI           = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidExtendedUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidAIA           = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	oidTLSFeature    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}
	oidSCT           = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
	oidStep          = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 37476, 9000, 64, 1}
	oidUnknown       = asn1.ObjectIdentifier{1, 2, 3, 4}
)

// tlv is one DER element of the tag and the joined contents.
func tlv(tag byte, parts ...string) string {
	content := strings.Join(parts, "")
	switch n := len(content); {
	case n < 0x80:
		return string([]byte{tag, byte(n)}) + content
	case n < 0x100:
		return string([]byte{tag, 0x81, byte(n)}) + content
	default:
		return string([]byte{tag, 0x82, byte(n >> 8), byte(n)}) + content
	}
}

func seq(parts ...string) string { return tlv(0x30, parts...) }

func oid(arcs ...int) string { return string(must(asn1.Marshal(asn1.ObjectIdentifier(arcs)))) }

func ext(id asn1.ObjectIdentifier, value string) extension {
	return extension{oid: id, value: []byte(value)}
}

func critical(id asn1.ObjectIdentifier, value string) extension {
	return extension{oid: id, critical: true, value: []byte(value)}
}

func ski(key crypto.PublicKey) extension {
	id := must(keyIdentifier(must(x509.MarshalPKIXPublicKey(key))))
	return ext(oidSKI, tlv(4, string(id)))
}

func aki(id string) extension { return ext(oidAKI, seq(tlv(0x80, id))) }

func basic(parts ...string) extension { return critical(oidBasic, seq(parts...)) }

const (
	yes              = "\x01\x01\xff"
	digitalSignature = "\x03\x02\x07\x80"
	encipherment     = "\x03\x02\x05\xa0"
	certSign         = "\x03\x02\x01\x06"
)

func san(names ...string) extension { return ext(oidSAN, seq(names...)) }

func dns(name string) string { return tlv(0x82, name) }
func uri(name string) string { return tlv(0x86, name) }

func usages() extension {
	return ext(oidExtendedUsage, seq(
		oid(1, 3, 6, 1, 5, 5, 7, 3, 1), oid(1, 3, 6, 1, 5, 5, 7, 3, 2)))
}

// stepProvisioner is step's extension; the tail stands behind the credential.
func stepProvisioner(kind byte, tail ...string) extension {
	return ext(oidStep, seq(append([]string{
		tlv(2, string([]byte{kind})), tlv(4, "admin"), tlv(4, "credential")}, tail...)...))
}

func host(key crypto.PublicKey) []extension {
	return []extension{
		critical(oidKeyUsage, digitalSignature), usages(), ski(key), aki("issuer"),
		san(dns("internal.example.com")), stepProvisioner(1),
	}
}
