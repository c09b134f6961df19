// Makes the certificate that step-ca makes for a rekey, with Go's own
// crypto/x509, and prints its tbsCertificate as hexadecimal.
//
// The template follows smallstep/certificates authority/tls.go:395-487 and
// cas/softcas/softcas.go:105-130,270-296. One request, as JSON, is on standard
// input.
package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"time"
)

// All bytes are hexadecimal; times are in nanoseconds.
type request struct {
	Old, Issuer, Key, SPKI, Serial string
	Now, Backdate                  int64 `json:",string"`
}

func main() {
	tbs, err := reissue()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(hex.EncodeToString(tbs))
}

func reissue() ([]byte, error) {
	var r request
	if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
		return nil, err
	}
	old, err := parseCertificate(r.Old)
	if err != nil {
		return nil, err
	}
	issuer, err := parseCertificate(r.Issuer)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(unhex(r.Key))
	if err != nil {
		return nil, err
	}
	publicKey, err := x509.ParsePKIXPublicKey(unhex(r.SPKI))
	if err != nil {
		return nil, err
	}
	template := renewed(old, time.Unix(0, r.Now), time.Duration(r.Backdate))
	template.SerialNumber = new(big.Int).SetBytes(unhex(r.Serial))
	if template.SubjectKeyId, err = keyIdentifier(unhex(r.SPKI)); err != nil {
		return nil, err
	}
	signer := key.(crypto.Signer)
	if _, ok := signer.Public().(*rsa.PublicKey); ok && isSoundRSA(issuer.SignatureAlgorithm) {
		template.SignatureAlgorithm = issuer.SignatureAlgorithm
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, publicKey, signer)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return certificate.RawTBSCertificate, nil
}

// renewed is step-ca's template: the old certificate with new dates.
func renewed(old *x509.Certificate, now time.Time, backdate time.Duration) *x509.Certificate {
	lifetime := old.NotAfter.Sub(old.NotBefore)
	template := &x509.Certificate{
		RawSubject:                  old.RawSubject,
		NotBefore:                   now.Add(-backdate),
		NotAfter:                    now.Add(lifetime - backdate),
		KeyUsage:                    old.KeyUsage,
		UnhandledCriticalExtensions: old.UnhandledCriticalExtensions,
		ExtKeyUsage:                 old.ExtKeyUsage,
		UnknownExtKeyUsage:          old.UnknownExtKeyUsage,
		BasicConstraintsValid:       old.BasicConstraintsValid,
		IsCA:                        old.IsCA,
		MaxPathLen:                  old.MaxPathLen,
		MaxPathLenZero:              old.MaxPathLenZero,
		OCSPServer:                  old.OCSPServer,
		IssuingCertificateURL:       old.IssuingCertificateURL,
		PermittedDNSDomainsCritical: old.PermittedDNSDomainsCritical,
		PermittedEmailAddresses:     old.PermittedEmailAddresses,
		DNSNames:                    old.DNSNames,
		EmailAddresses:              old.EmailAddresses,
		IPAddresses:                 old.IPAddresses,
		URIs:                        old.URIs,
		PermittedDNSDomains:         old.PermittedDNSDomains,
		ExcludedDNSDomains:          old.ExcludedDNSDomains,
		PermittedIPRanges:           old.PermittedIPRanges,
		ExcludedIPRanges:            old.ExcludedIPRanges,
		ExcludedEmailAddresses:      old.ExcludedEmailAddresses,
		PermittedURIDomains:         old.PermittedURIDomains,
		ExcludedURIDomains:          old.ExcludedURIDomains,
		CRLDistributionPoints:       old.CRLDistributionPoints,
		PolicyIdentifiers:           old.PolicyIdentifiers,
	}
	subjectKeyID := asn1.ObjectIdentifier{2, 5, 29, 14}
	authorityKeyID := asn1.ObjectIdentifier{2, 5, 29, 35}
	for _, extension := range old.Extensions {
		if extension.Id.Equal(subjectKeyID) || extension.Id.Equal(authorityKeyID) {
			continue
		}
		template.ExtraExtensions = append(template.ExtraExtensions, extension)
	}
	return template
}

func keyIdentifier(spki []byte) ([]byte, error) {
	var info struct {
		Algorithm        pkix.AlgorithmIdentifier
		SubjectPublicKey asn1.BitString
	}
	if _, err := asn1.Unmarshal(spki, &info); err != nil {
		return nil, err
	}
	sum := sha1.Sum(info.SubjectPublicKey.Bytes)
	return sum[:], nil
}

func isSoundRSA(algorithm x509.SignatureAlgorithm) bool {
	switch algorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
		return true
	}
	return false
}

func parseCertificate(text string) (*x509.Certificate, error) {
	return x509.ParseCertificate(unhex(text))
}

func unhex(text string) []byte {
	bytes, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return bytes
}
