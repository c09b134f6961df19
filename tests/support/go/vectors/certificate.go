package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"time"
)

// An input certificate, built field by field so that it can also hold what
// x509.CreateCertificate would not write.
type certificate struct {
	version             int
	serial              *big.Int
	issuer, subject     []byte
	notBefore, notAfter time.Time
	key                 crypto.PublicKey
	extensions          []extension
	uniqueIDs           bool
	signer              crypto.Signer
	algorithm           string
}

type extension struct {
	oid      asn1.ObjectIdentifier
	critical bool
	value    []byte
	// raw is the whole Extension, for those that are not DER of the rest.
	raw []byte
}

type validity struct{ NotBefore, NotAfter time.Time }

type tbsCertificate struct {
	Version      int `asn1:"optional,explicit,default:0,tag:0"`
	SerialNumber *big.Int
	Algorithm    asn1.RawValue
	Issuer       asn1.RawValue
	Validity     validity
	Subject      asn1.RawValue
	PublicKey    asn1.RawValue
	IssuerID     asn1.BitString  `asn1:"optional,tag:1"`
	SubjectID    asn1.BitString  `asn1:"optional,tag:2"`
	Extensions   []asn1.RawValue `asn1:"omitempty,optional,explicit,tag:3"`
}

// Hexadecimal AlgorithmIdentifiers, and the hashes that go with them.
var algorithms = map[string]struct {
	der  string
	hash crypto.Hash
	pss  int
}{
	"ECDSA-SHA256": {"300a06082a8648ce3d040302", crypto.SHA256, 0},
	"ECDSA-SHA384": {"300a06082a8648ce3d040303", crypto.SHA384, 0},
	"ECDSA-SHA512": {"300a06082a8648ce3d040304", crypto.SHA512, 0},
	"Ed25519":      {"300506032b6570", 0, 0},
	"SHA1-RSA":     {"300d06092a864886f70d0101050500", crypto.SHA1, 0},
	"SHA256-RSA":   {"300d06092a864886f70d01010b0500", crypto.SHA256, 0},
	"SHA384-RSA":   {"300d06092a864886f70d01010c0500", crypto.SHA384, 0},
	"SHA512-RSA":   {"300d06092a864886f70d01010d0500", crypto.SHA512, 0},
	"SHA256-PSS":   {"304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120", crypto.SHA256, 32},
	"SHA384-PSS":   {"304106092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130", crypto.SHA384, 48},
	"SHA512-PSS":   {"304106092a864886f70d01010a3034a00f300d06096086480165030402030500a11c301a06092a864886f70d010108300d06096086480165030402030500a203020140", crypto.SHA512, 64},
	// A salt that Go does not know: it counts as an unknown algorithm.
	"SHA256-PSS-20": {"304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020114", crypto.SHA256, 20},
}

func (c certificate) der() []byte {
	algorithm := algorithms[c.algorithm]
	id := unhex(algorithm.der)
	spki, err := x509.MarshalPKIXPublicKey(c.key)
	check(err)
	tbs := tbsCertificate{
		Version:      c.version,
		SerialNumber: c.serial,
		Algorithm:    asn1.RawValue{FullBytes: id},
		Issuer:       asn1.RawValue{FullBytes: c.issuer},
		Validity:     validity{c.notBefore.UTC(), c.notAfter.UTC()},
		Subject:      asn1.RawValue{FullBytes: c.subject},
		PublicKey:    asn1.RawValue{FullBytes: spki},
	}
	if c.uniqueIDs {
		tbs.IssuerID = asn1.BitString{Bytes: []byte{1, 2}, BitLength: 16}
		tbs.SubjectID = asn1.BitString{Bytes: []byte{3, 4}, BitLength: 16}
	}
	for _, e := range c.extensions {
		raw := e.raw
		if raw == nil {
			raw = must(asn1.Marshal(pkix.Extension{Id: e.oid, Critical: e.critical, Value: e.value}))
		}
		tbs.Extensions = append(tbs.Extensions, asn1.RawValue{FullBytes: raw})
	}
	signed := must(asn1.Marshal(tbs))
	signature := sign(c.signer, signed, algorithm.hash, algorithm.pss)
	return must(asn1.Marshal(struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}{
		asn1.RawValue{FullBytes: signed}, asn1.RawValue{FullBytes: id},
		asn1.BitString{Bytes: signature, BitLength: len(signature) * 8},
	}))
}

func sign(key crypto.Signer, data []byte, hash crypto.Hash, pss int) []byte {
	if hash == 0 {
		return must(key.Sign(rand.Reader, data, hash))
	}
	digest := hash.New()
	digest.Write(data)
	sum := digest.Sum(nil)
	if ec, ok := key.(*ecdsa.PrivateKey); ok {
		return must(ec.Sign(rand.Reader, sum, hash))
	}
	if pss > 0 {
		return must(key.Sign(rand.Reader, sum, &rsa.PSSOptions{SaltLength: pss, Hash: hash}))
	}
	return must(key.Sign(rand.Reader, sum, hash))
}

// name is the DER of a name with one UTF8String per RDN.
func name(pairs ...string) []byte {
	sequence := pkix.RDNSequence{}
	for i := 0; i < len(pairs); i += 2 {
		sequence = append(sequence, pkix.RelativeDistinguishedNameSET{{
			Type: oids[pairs[i]], Value: asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(pairs[i+1])},
		}})
	}
	return must(asn1.Marshal(sequence))
}

var oids = map[string]asn1.ObjectIdentifier{
	"CN": {2, 5, 4, 3}, "C": {2, 5, 4, 6}, "O": {2, 5, 4, 10}, "OU": {2, 5, 4, 11},
}

// mixedName has a multi-valued RDN and strings of several types.
func mixedName() []byte {
	value := func(tag int, bytes string) asn1.RawValue {
		return asn1.RawValue{Tag: tag, Bytes: []byte(bytes)}
	}
	return must(asn1.Marshal(pkix.RDNSequence{
		{{Type: oids["C"], Value: value(asn1.TagPrintableString, "CH")}},
		{{Type: oids["O"], Value: value(asn1.TagT61String, "Teletex")}},
		{
			{Type: oids["OU"], Value: value(asn1.TagBMPString, "\x00B\x00M")},
			{Type: oids["OU"], Value: value(asn1.TagUTF8String, "other")},
		},
		{{Type: oids["CN"], Value: value(asn1.TagUTF8String, "Zürich")}},
	}))
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func unhex(text string) []byte { return must(hex.DecodeString(text)) }
