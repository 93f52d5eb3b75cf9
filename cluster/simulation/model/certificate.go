package model

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"
)

// certificateFile is the certificate that PostgreSQL shows to its followers.
// Where the product keeps it below ssl is not published: the name is invented.
const certificateFile = varDir + "/ssl/chef-backend.crt"

// certify writes a certificate of the node that holds for the given time. It
// is the same for the same node and times.
func (n *node) certify(from, to time.Time) {
	seed := bytes.Repeat([]byte{byte(n.index + 1)}, ed25519.SeedSize)
	key := ed25519.NewKeyFromSeed(seed)
	about := &x509.Certificate{
		SerialNumber: big.NewInt(int64(n.index) + 1), Subject: pkix.Name{CommonName: n.address},
		NotBefore: from.Truncate(time.Second), NotAfter: to.Truncate(time.Second),
	}
	der, err := x509.CreateCertificate(nil, about, about, key.Public(), key)
	n.note(err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	n.write(certificateFile, text)
	n.certificate = text
	if n.pg.copy.whole {
		n.write(dataDir+"/server.crt", text)
	}
}

// usualCertificate is the one of a node that was set up a year ago; the
// product's certificates hold for ten years (ssl.duration).
func (n *node) usualCertificate() {
	n.certify(n.w.start.Add(-400*24*time.Hour), n.w.start.Add(3250*24*time.Hour))
}

// openssl tells when a certificate ends: x509 -noout -enddate -in FILE.
func openssl(p *Process) {
	file := option(p.argv, "-in")
	data, err := p.n.files.Read(file)
	block, _ := pem.Decode(data)
	if err != nil || block == nil || len(p.argv) < 2 || p.argv[1] != "x509" {
		p.errorf("unable to load certificate\n")
		p.end(1)
		return
	}
	about, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		p.errorf("unable to load certificate\n")
		p.end(1)
		return
	}
	p.printf("notAfter=%s\n", about.NotAfter.UTC().Format("Jan _2 15:04:05 2006 GMT"))
	p.end(0)
}
