package main

import (
	"crypto/x509"
	"net"
	"time"
)

// constraint is one name below one CA with name constraints, and Go's judgement.
type constraint struct {
	Name string `json:"name"`
	// Names of certificates.
	Issuer string `json:"issuer"`
	Leaf   string `json:"leaf"`
	// Empty when the name is allowed.
	Refusal string `json:"refusal,omitempty"`
}

func (v *vectors) addConstraints() {
	for _, kind := range []struct {
		label string
		tag   byte
		// Constraints, and names to hold against each of them.
		constraints, names []string
	}{
		{"DNS", 0x82, []string{"example.com", ".example.com", "", "EXAMPLE.com", "a.example.com"}, []string{
			"example.com", "a.example.com", "b.a.example.com", "notexample.com", "A.Example.COM", "example.org", "*.example.com",
		}},
		{"IP", 0x87, []string{cidr("10.0.0.0/8"), cidr("10.1.2.3/32"), cidr("0.0.0.0/0"), cidr("2001:db8::/32"), cidr("10.128.0.0/9")}, []string{
			ip("10.1.2.3"), ip("11.0.0.1"), ip("2001:db8::1"), ip("2001:db9::1"), ip("10.200.0.1"),
		}},
		{"email", 0x81, []string{"someone@example.com", "example.com", ".example.com", "Someone@example.com"}, []string{
			"someone@example.com", "someone@EXAMPLE.com", "Someone@example.com", "other@example.com",
			"a@sub.example.com", "a@example.org", `"some one"@example.com`,
		}},
		{"URI", 0x86, []string{"example.com", ".example.com", ""}, []string{
			"https://example.com/a", "https://sub.example.com:8443/a", "spiffe://example.org/a",
			"https://user@Example.com", "https://10.0.0.1/", "https://[2001:db8::1]/", "urn:a:b",
		}},
	} {
		for _, mode := range []struct {
			label string
			tag   byte
		}{{"permitted", 0xa0}, {"excluded", 0xa1}} {
			for _, text := range kind.constraints {
				for _, subject := range kind.names {
					if kind.tag == 0x86 && text == "" && mode.label == "permitted" {
						continue
					}
					v.addConstraint(
						mode.label+" "+kind.label+" "+printable(kind.tag, text),
						seq(tlv(mode.tag, seq(tlv(kind.tag, text)))),
						kind.label+" "+printable(kind.tag, subject), tlv(kind.tag, subject))
				}
			}
		}
	}
	// A permitted list counts for its own type only.
	v.addConstraint("permitted IP 10.0.0.0/8 alone", seq(tlv(0xa0, seq(tlv(0x87, cidr("10.0.0.0/8"))))),
		`DNS "a.example.com"`, dns("a.example.com"))
	v.addConstraint("permitted example.com and excluded a.example.com", seq(
		tlv(0xa0, seq(dns("example.com"))), tlv(0xa1, seq(dns("a.example.com")))),
		`DNS "b.a.example.com"`, dns("b.a.example.com"))
	v.addConstraint("permitted example.org and example.com", seq(
		tlv(0xa0, seq(dns("example.org")), seq(dns("example.com")))),
		`DNS "a.example.com"`, dns("a.example.com"))
}

func (v *vectors) addConstraint(label, constraints, host, subject string) {
	key := v.keys["issuer P-256"]
	row := constraint{Name: host + ", " + label, Issuer: "CA with " + label, Leaf: "host named " + host}
	ca := certificate{
		version: 2, subject: issuerName, key: key.Public(),
		notBefore: now.AddDate(-1, 0, 0), notAfter: now.AddDate(1, 0, 0),
		extensions: []extension{critical(oidKeyUsage, certSign), basic(yes), critical(oidNames, constraints)},
	}
	leaf := ca
	leaf.subject, leaf.key = hostName, v.keys["old P-256"].Public()
	leaf.extensions = []extension{san(subject)}
	for name, certificate := range map[string]certificate{row.Issuer: ca, row.Leaf: leaf} {
		if _, ok := v.Certificates[name]; !ok {
			v.put(name, certificate)
		}
	}
	root := must(x509.ParseCertificate(v.certificate(row.Issuer)))
	roots := x509.NewCertPool()
	roots.AddCert(root)
	_, err := must(x509.ParseCertificate(v.certificate(row.Leaf))).Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: now.Truncate(time.Second), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		row.Refusal = err.Error()
	}
	v.Constraints = append(v.Constraints, row)
}

func ip(text string) string {
	address := net.ParseIP(text)
	if four := address.To4(); four != nil {
		return string(four)
	}
	return string(address)
}

func cidr(text string) string {
	_, network, err := net.ParseCIDR(text)
	check(err)
	return string(network.IP) + string(network.Mask)
}

func printable(tag byte, text string) string {
	if tag != 0x87 {
		return `"` + text + `"`
	}
	if len(text) == 4 || len(text) == 16 {
		return net.IP(text).String()
	}
	half := len(text) / 2
	return (&net.IPNet{IP: net.IP(text[:half]), Mask: net.IPMask(text[half:])}).String()
}
