package main

import (
	"encoding/asn1"
	"fmt"
	"math/big"
)

// leaf adds a host and its rekey, with these extensions behind a key usage.
func (v *vectors) leaf(name string, extensions ...extension) {
	v.changed(name, func(c *certificate) {
		c.extensions = append([]extension{critical(oidKeyUsage, digitalSignature)}, extensions...)
	})
}

func (v *vectors) changed(name string, change func(*certificate)) {
	v.host("host "+name, change)
	v.add(row{Name: "a host " + name, Old: "host " + name})
}

func (v *vectors) addLeaves() {
	v.add(row{Name: "a host of step"})
	v.changed("with an RSA key and keyEncipherment", func(c *certificate) {
		c.key = v.keys["old RSA-2048"].Public()
		c.extensions = []extension{critical(oidKeyUsage, encipherment), ski(c.key)}
	})
	otherName := tlv(0xa0, oid(1, 3, 6, 1, 4, 1, 311, 20, 2, 3), tlv(0xa0, tlv(12, "user@example.com")))
	directory := tlv(0xa4, string(name("CN", "a directory")))
	for _, n := range []struct{ name, value string }{
		{"a DNS name", dns("a.example.com")}, {"a wildcard", dns("*.example.com")},
		{"an A-label", dns("xn--mnchen-3ya.example")}, {"an IPv4 address", tlv(0x87, "\x0a\x00\x00\x01")},
		{"an IPv6 address", tlv(0x87, "\x20\x01\x0d\xb8", string(make([]byte, 12)))},
		{"an email address", tlv(0x81, "someone@example.com")}, {"a URI", uri("spiffe://example.com/a")},
		{"an otherName", otherName}, {"a directoryName", directory},
		{"a registeredID", tlv(0x88, "\x2a\x03\x04")}, {"no name at all", ""},
	} {
		v.leaf("with a SAN of "+n.name, san(n.value))
	}
	v.leaf("with names of every type", san(dns("b"), dns("a"), tlv(0x87, "\x0a\x00\x00\x01"),
		tlv(0x81, "a@b.example"), uri("https://user@example.com:8443/a?b#c"), otherName, directory))
	v.changed("with an empty subject and a critical SAN", func(c *certificate) {
		c.subject = name()
		c.extensions = []extension{critical(oidSAN, seq(dns("a.example.com")))}
	})
	for kind := byte(1); kind <= 11; kind++ {
		v.leaf(fmt.Sprintf("of a provisioner of type %d", kind), stepProvisioner(kind))
	}
	v.leaf("of a provisioner with pairs", stepProvisioner(1, seq(tlv(0x13, "key"), tlv(12, "välue"))))
	v.leaf("of a provisioner with members at the end", stepProvisioner(1, seq(), tlv(5), tlv(2, "\x01")))
	v.leaf("with bytes behind the provisioner", ext(oidStep, string(stepProvisioner(1).value)+"\x05\x00"))
	v.leaf("with a malformed provisioner", ext(oidStep, "\x30\x01"))
	v.leaf("with an unknown critical extension", critical(oidUnknown, tlv(5)), san(dns("a.example.com")))
	v.leaf("with an explicit critical FALSE", extension{
		raw: []byte(seq(oid(1, 2, 3, 4), "\x01\x01\x00", tlv(4, tlv(5))))})
	v.leaf("with CRL points of reasons and issuers", ext(oidCRL, seq(
		seq(tlv(0xa0, tlv(0xa0, uri("http://crl.example.com/a"))), tlv(0x81, "\x01\x06"), tlv(0xa2, directory)))))
	v.leaf("with AIA", ext(oidAIA, seq(
		seq(oid(1, 3, 6, 1, 5, 5, 7, 48, 1), uri("http://ocsp.example.com")),
		seq(oid(1, 3, 6, 1, 5, 5, 7, 48, 2), uri("http://ca.example.com/ca.crt")))))
	v.leaf("with policies and qualifiers", ext(oidPolicies, seq(
		seq(oid(1, 2, 3, 5), seq(seq(oid(1, 3, 6, 1, 5, 5, 7, 2, 1), tlv(22, "http://cps.example.com")))),
		seq(oid(1, 2, 3, 6)))))
	v.leaf("with name constraints", critical(oidNames, seq(
		tlv(0xa0, seq(dns("example.com"))), tlv(0xa1, seq(tlv(0x87, "\x0a\x00\x00\x00\xff\x00\x00\x00"))))))
	v.leaf("with policy mappings", ext(oidMappings, seq(seq(oid(1, 2, 3, 5), oid(1, 2, 3, 6)))))
	v.leaf("with must-staple", ext(oidTLSFeature, seq(tlv(2, "\x05"))))
	v.leaf("with embedded SCTs", ext(oidSCT, tlv(4, "\x00\x04\x00\x02ab")))
	v.leaf("that is a CA with path length 0", basic(yes, tlv(2, "\x00")))
	v.leaf("that is a CA without path length", basic(yes))
	v.leaf("that is a CA with path length 3", basic(yes, tlv(2, "\x03")))
	v.leaf("that is explicitly no CA", basic())
	identifiers := []extension{ski(v.keys["old P-256"].Public()), aki("issuer")}
	names := san(dns("a.example.com"))
	v.changed("with key identifiers first", func(c *certificate) {
		c.extensions = append(identifiers[:2:2], names, usages())
	})
	v.leaf("with key identifiers in the middle", append(identifiers[:2:2], names)...)
	v.leaf("with key identifiers last", names, identifiers[1], identifiers[0])
	v.leaf("without key identifiers", names, usages())
	v.leaf("with an AKI of issuer and serial", ext(oidAKI, seq(
		tlv(0x80, "issuer"), tlv(0xa1, directory), tlv(0x82, "\x05"))))
	v.changed("of version 1", func(c *certificate) { c.extensions = nil })
	v.changed("with unique identifiers", func(c *certificate) { c.uniqueIDs = true })
	v.changed("with the subject of the issuer", func(c *certificate) { c.subject = issuerName })
	v.changed("with a subject of mixed strings", func(c *certificate) { c.subject = mixedName() })
	v.changed("with a PrintableString subject", func(c *certificate) {
		c.subject = []byte(seq(tlv(0x31, seq(oid(2, 5, 4, 3), tlv(0x13, "host")))))
	})
	twenty, _ := new(big.Int).SetString("7fffffffffffffffffffffffffffffffffffffff", 16)
	v.changed("with a serial number of 20 octets", func(c *certificate) { c.serial = twenty })
	v.changed("with a serial number of one octet", func(c *certificate) { c.serial = big.NewInt(1) })
	v.changed("with the serial number zero", func(c *certificate) { c.serial = big.NewInt(0) })
	v.changed("that signed itself", func(c *certificate) {
		c.issuer, c.signer, c.algorithm = hostName, v.keys["old P-256"], "ECDSA-SHA256"
	})
	v.changed("without usages", func(c *certificate) { c.extensions = []extension{names} })
}

// addRefusals adds what Go reads or makes nothing of.
func (v *vectors) addRefusals() {
	names := san(dns("a.example.com"))
	v.leaf("with an extension twice", names, names)
	v.changed("with a negative serial number", func(c *certificate) { c.serial = big.NewInt(-5) })
	v.leaf("with an arc of 2^31-1", extension{raw: []byte(seq(tlv(6, "\x2a\x87\xff\xff\xff\x7f"), tlv(4, tlv(5))))})
	v.leaf("that is no CA and has a path length of 0", basic(tlv(2, "\x00")))
	v.leaf("that is no CA and has a path length of 1", basic(tlv(2, "\x01")))
	v.leaf("with a negative path length", basic(yes, tlv(2, "\xff")))
	v.leaf("with an address of 5 octets", san(tlv(0x87, "\x01\x02\x03\x04\x05")))
	v.leaf("with a DNS name outside of ASCII", san(dns("zürich.example")))
	v.leaf("with an email address outside of ASCII", san(tlv(0x81, "ü@example.com")))
	v.leaf("with a URI outside of ASCII", san(uri("https://example.com/ü")))
	v.leaf("with a malformed extended key usage", ext(oidExtendedUsage, tlv(2, "\x01")))
	v.changed("with a malformed key usage", func(c *certificate) {
		c.extensions = []extension{critical(oidKeyUsage, tlv(2, "\x01"))}
	})
	v.leaf("with empty name constraints", critical(oidNames, seq()))
	v.addNames()
	v.addOddValues()
	v.changed("with bytes behind the end", nil)
	last := &v.Rows[len(v.Rows)-1]
	v.Certificates[last.Old] += "0500"
	changed := *last
	v.Rows = v.Rows[:len(v.Rows)-1]
	changed.TBS, changed.Error = "", ""
	v.add(changed)
}

// addNames adds subjects of every type of strings that Go knows.
func (v *vectors) addNames() {
	for _, text := range []struct {
		tag   byte
		value string
	}{
		{0x13, "g&*x"}, {0x13, "A z'()+,-./:=?09"}, {0x12, "12 3"}, {0x16, "g@x"}, {0x14, "g\xe9"},
		{0x1e, "\x00a"}, {0x1e, "\x00a\x00\x00"}, {0x0c, "\xff"}, {0x0c, "\xef\xbb\xbfa"},
	} {
		v.changed(fmt.Sprintf("with a subject of type %#02x, %q", text.tag, text.value), func(c *certificate) {
			c.subject = []byte(seq(tlv(0x31, seq(oid(2, 5, 4, 3), tlv(text.tag, text.value)))))
		})
	}
}

// addOddValues adds extensions with bytes behind their value, and names of unknown kinds.
func (v *vectors) addOddValues() {
	null := tlv(5)
	for _, e := range []struct {
		name string
		id   asn1.ObjectIdentifier
		// Values of the extension.
		values []string
	}{
		{"extended key usages", oidExtendedUsage, []string{seq(oid(1, 3, 6, 1, 5, 5, 7, 3, 1)) + null}},
		{"basic constraints", oidBasic, []string{seq(yes) + null}},
		{"names", oidSAN, []string{seq(tlv(0x8a, "a")), seq(tlv(0x8a, "a"), dns("a.example.com")), seq(null)}},
	} {
		for _, value := range e.values {
			v.leaf(fmt.Sprintf("with the %s %x", e.name, value), ext(e.id, value))
		}
	}
}
