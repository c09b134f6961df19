package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"time"
)

// One rekey, with everything that is random or depends on the clock given.
type request struct {
	old, issuer []byte
	key         crypto.Signer
	publicKey   any
	serial      []byte
	now         time.Time
	backdate    time.Duration
}

// reissue makes the certificate that step-ca makes for a rekey, with Go's own
// crypto/x509, and returns its tbsCertificate. The template follows
// smallstep/certificates authority/tls.go:395-487 and
// cas/softcas/softcas.go:105-130,270-296.
func reissue(r request) ([]byte, error) {
	old, err := x509.ParseCertificate(r.old)
	if err != nil {
		return nil, err
	}
	issuer, err := x509.ParseCertificate(r.issuer)
	if err != nil {
		return nil, err
	}
	template := renewed(old, r.now, r.backdate)
	if template.NotAfter.Equal(template.NotBefore.Add(r.backdate)) {
		return nil, errors.New("createCertificateRequest `lifetime` cannot be 0")
	}
	template.SerialNumber = new(big.Int).SetBytes(r.serial)
	spki, err := x509.MarshalPKIXPublicKey(r.publicKey)
	if err != nil {
		return nil, err
	}
	if template.SubjectKeyId, err = keyIdentifier(spki); err != nil {
		return nil, err
	}
	if _, ok := r.key.Public().(*rsa.PublicKey); ok && isSoundRSA(issuer.SignatureAlgorithm) {
		template.SignatureAlgorithm = issuer.SignatureAlgorithm
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, r.publicKey, r.key)
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
