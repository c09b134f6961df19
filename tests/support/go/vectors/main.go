// Makes the vectors of tests/testdata/offline: certificates, and what step-ca
// makes of them in a rekey, computed by Go's own crypto/x509.
//
//	go run . keys                make keys, as JSON (once: keys are frozen too)
//	go run . vectors < keys.json print the vectors, as JSON
//
// Everything but the signatures in the inputs is the same in every run.
package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "keys" {
		write(makeKeys())
		return
	}
	keys := map[string]crypto.Signer{}
	for name, text := range read() {
		der, err := hex.DecodeString(text)
		check(err)
		key, err := x509.ParsePKCS8PrivateKey(der)
		check(err)
		keys[name] = key.(crypto.Signer)
	}
	v := &vectors{keys: keys, Certificates: map[string]string{}}
	v.addAll()
	write(v)
}

// makeKeys makes two keys of every type: of issuers and old hosts, and new ones.
func makeKeys() map[string]string {
	keys := map[string]string{}
	for _, role := range []string{"issuer", "old", "new"} {
		for name, curve := range map[string]elliptic.Curve{
			"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521(),
		} {
			key, err := ecdsa.GenerateKey(curve, rand.Reader)
			check(err)
			keys[role+" "+name] = marshal(key)
		}
		_, key, err := ed25519.GenerateKey(rand.Reader)
		check(err)
		keys[role+" Ed25519"] = marshal(key)
		rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
		check(err)
		keys[role+" RSA-2048"] = marshal(rsaKey)
	}
	key, err := rsa.GenerateKey(rand.Reader, 4096)
	check(err)
	keys["new RSA-4096"] = marshal(key)
	return keys
}

func marshal(key any) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	check(err)
	return hex.EncodeToString(der)
}

func read() (keys map[string]string) {
	check(json.NewDecoder(os.Stdin).Decode(&keys))
	return keys
}

func write(value any) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	check(encoder.Encode(value))
	_, err := os.Stdout.Write(out.Bytes())
	check(err)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
