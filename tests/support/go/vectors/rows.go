package main

import (
	"crypto"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"
)

// vectors is the file: certificates by name, and what comes of them.
type vectors struct {
	keys         map[string]crypto.Signer
	Certificates map[string]string `json:"certificates"`
	Rows         []row             `json:"rows"`
	Constraints  []constraint      `json:"constraints"`
}

// row is one rekey. Times are in nanoseconds, as text; bytes in hexadecimal.
type row struct {
	Name      string `json:"name"`
	Old       string `json:"old"`
	Issuer    string `json:"issuer"`
	IssuerKey string `json:"issuerKey"`
	NewKey    string `json:"newKey"`
	Serial    string `json:"serial"`
	Now       int64  `json:"now,string"`
	Backdate  int64  `json:"backdate,string"`
	// One of the two.
	TBS   string `json:"tbs,omitempty"`
	Error string `json:"error,omitempty"`
}

// With a part below the second.
var now = time.Date(2026, 6, 1, 12, 34, 56, 789_000_000, time.UTC)

const serial = "8f1e2d3c4b5a69788796a5b4c3d2e1f0"

var issuerName = name("O", "Test", "CN", "Test Intermediate CA")

func (v *vectors) add(r row) {
	if r.Issuer == "" {
		r.Issuer, r.IssuerKey = "issuer EC P-256", "issuer P-256"
	}
	if r.Old == "" {
		r.Old = "default host"
	}
	if r.NewKey == "" {
		r.NewKey = "new P-256"
	}
	if r.Serial == "" {
		r.Serial = serial
	}
	if r.Now == 0 {
		r.Now = now.UnixNano()
	}
	tbs, err := reissue(request{
		old: v.certificate(r.Old), issuer: v.certificate(r.Issuer),
		key: v.keys[r.IssuerKey], publicKey: v.keys[r.NewKey].Public(),
		serial: unhex(r.Serial), now: time.Unix(0, r.Now).UTC(),
		backdate: time.Duration(r.Backdate),
	})
	if err != nil {
		r.Error = err.Error()
	} else {
		r.TBS = hex.EncodeToString(tbs)
	}
	v.Rows = append(v.Rows, r)
}

func (v *vectors) certificate(name string) []byte {
	text, ok := v.Certificates[name]
	if !ok {
		check(fmt.Errorf("no certificate %q", name))
	}
	return unhex(text)
}

// put fills in what a certificate does not say, and keeps it by its name.
func (v *vectors) put(name string, c certificate) {
	if c.version == 0 && c.extensions != nil {
		c.version = 2
	}
	if c.serial == nil {
		c.serial = big.NewInt(0x123456)
	}
	if c.issuer == nil {
		c.issuer = issuerName
	}
	if c.notBefore.IsZero() {
		c.notBefore = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	}
	if c.notAfter.IsZero() {
		c.notAfter = c.notBefore.Add(24*time.Hour + time.Minute)
	}
	if c.signer == nil {
		c.signer, c.algorithm = v.keys["issuer P-256"], "ECDSA-SHA256"
	}
	v.Certificates[name] = hex.EncodeToString(c.der())
}

// host keeps a host's certificate; change may alter the usual one.
func (v *vectors) host(name string, change func(*certificate)) {
	key := v.keys["old P-256"].Public()
	c := certificate{subject: hostName, key: key, extensions: host(key)}
	if change != nil {
		change(&c)
	}
	v.put(name, c)
}

var hostName = name("CN", "internal.example.com")

func (v *vectors) addAll() {
	v.host("default host", nil)
	v.addIssuers()
	v.addKeyChanges()
	v.addLeaves()
	v.addRefusals()
	v.addValidities()
	v.addConstraints()
}

func (v *vectors) addKeyChanges() {
	types := []string{"P-256", "RSA-2048", "Ed25519"}
	for _, old := range types {
		key := v.keys["old "+old].Public()
		usage := digitalSignature
		if old == "RSA-2048" {
			usage = encipherment
		}
		v.put("host with "+old, certificate{subject: hostName, key: key, extensions: []extension{
			critical(oidKeyUsage, usage), usages(), ski(key), san(dns("internal.example.com")),
		}})
	}
	for _, issuer := range []struct{ name, key string }{
		{"issuer EC P-256", "issuer P-256"},
		{"issuer RSA signed SHA256-RSA", "issuer RSA-2048"},
		{"issuer Ed25519", "issuer Ed25519"},
	} {
		for _, old := range types {
			for _, next := range []string{"P-256", "P-384", "P-521", "RSA-2048", "RSA-4096", "Ed25519"} {
				v.add(row{
					Name: fmt.Sprintf("%s: from %s to %s", issuer.name, old, next),
					Old:  "host with " + old, Issuer: issuer.name, IssuerKey: issuer.key,
					NewKey: "new " + next,
				})
			}
		}
	}
}

func (v *vectors) addValidities() {
	date := func(year int, month time.Month) time.Time {
		return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	}
	day := date(2026, 6)
	for _, life := range []struct {
		name     string
		from, to time.Time
	}{
		{"of 24h1m", day, day.Add(24*time.Hour + time.Minute)},
		{"of 5m", now.Truncate(time.Second), now.Truncate(time.Second).Add(5 * time.Minute)},
		{"without end", day, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{"from 2049 to 2051", date(2049, 7), date(2051, 7)},
		{"until 2051", day, date(2051, 7)},
		{"longer than the issuer's", day, date(2040, 1)},
		{"not begun", date(2026, 7), date(2026, 8)},
		{"that ends this second", day, now.Truncate(time.Second)},
		{"from before 1950", date(1949, 1), date(2027, 1)},
		{"of no time", day, day},
	} {
		v.host("host with a life "+life.name, func(c *certificate) {
			c.notBefore, c.notAfter = life.from, life.to
		})
		v.add(row{
			Name: "a life " + life.name, Old: "host with a life " + life.name,
			Backdate: int64(time.Minute),
		})
	}
	for _, backdate := range []time.Duration{
		0, time.Nanosecond, 211 * time.Millisecond, 1500 * time.Millisecond, time.Minute, time.Hour,
		24*time.Hour + time.Minute, 48 * time.Hour, 60 * 365 * 24 * time.Hour, 80 * 365 * 24 * time.Hour,
	} {
		v.add(row{Name: "backdate " + backdate.String(), Backdate: int64(backdate)})
	}
	for _, at := range []time.Time{
		date(2050, 1).Add(-time.Millisecond), date(2050, 1).Add(59 * time.Second),
		date(2050, 1).Add(time.Minute + time.Millisecond), date(1969, 12),
	} {
		v.add(row{Name: "at " + at.Format(time.RFC3339Nano), Now: at.UnixNano(), Backdate: int64(time.Minute)})
	}
	for _, serial := range []string{
		"00000000000000000000000000000001", "00000000000000000000000000000000",
		"ffffffffffffffffffffffffffffffff", "00801111111111111111111111111111",
		"007f1111111111111111111111111111",
	} {
		v.add(row{Name: "serial number " + serial, Serial: serial})
	}
}
